package transport

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"pgtui/internal/text"
	"pgtui/source"
)

// ErrUntrusted is the refusal to run or obey a file that somebody else may have
// put there.
var ErrUntrusted = errors.New("it is not trusted")

// Trusted is an error when anybody but root and this user may have written the
// file at path or put it there: as sudo, ssh and Ansible, it looks at the owner
// and the mode of the file, of every directory above it, and of every link on
// the way. A directory that everybody may write to is good when it is sticky, as
// /tmp is: no one can take the file of another away there. A group that has
// no one else in it may write. The error wraps ErrUntrusted, names what is wrong
// and is a *model.Hint with what to type.
func Trusted(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("%s: %w", text.Line(path, 200), err)
	}
	return (&trust{uid: os.Geteuid(), gid: os.Getegid(), ids: ids, group: "/etc/group", passwd: "/etc/passwd"}).path(abs, 0)
}

// ids is whose a file is, by number.
func ids(_ string, st fs.FileInfo) (uid, gid int, ok bool) {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(sys.Uid), int(sys.Gid), true
}

// trust is who is trusted beside root.
type trust struct {
	uid, gid      int
	ids           func(at string, st fs.FileInfo) (uid, gid int, ok bool)
	group, passwd string // the files of groups and users
}

// mostLinks is how many links may follow one another.
const mostLinks = 40

// path looks at every part of an absolute path.
func (t *trust) path(path string, links int) error {
	parts := strings.Split(strings.TrimPrefix(filepath.Clean(path), "/"), "/")
	at := "/"
	if err := t.part(at, false); err != nil {
		return err
	}
	for i, name := range parts {
		if name == "" {
			continue
		}
		at = filepath.Join(at, name)
		st, err := os.Lstat(at)
		if err != nil {
			return fmt.Errorf("%s: %w", text.Line(at, 200), cause(err))
		}
		if st.Mode()&fs.ModeSymlink == 0 {
			if err := t.part(at, i == len(parts)-1); err != nil {
				return err
			}
			continue
		}
		// Whoever owns the link chooses where it leads; its mode has no meaning.
		if err := t.owner(at, st); err != nil {
			return err
		}
		to, err := os.Readlink(at)
		if err != nil || links >= mostLinks {
			return fmt.Errorf("%s: the link leads nowhere", text.Line(at, 200))
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(at), to)
		}
		return t.path(filepath.Join(append([]string{to}, parts[i+1:]...)...), links+1)
	}
	return nil
}

// part looks at one file or directory.
func (t *trust) part(at string, last bool) error {
	st, err := os.Lstat(at)
	if err != nil {
		return fmt.Errorf("%s: %w", text.Line(at, 200), cause(err))
	}
	if err := t.owner(at, st); err != nil {
		return err
	}
	sticky := st.IsDir() && st.Mode()&fs.ModeSticky != 0
	_, gid, _ := t.ids(at, st)
	switch mode := st.Mode().Perm(); {
	case sticky && !last:
	case mode&0o002 != 0:
		return untrusted(at, "everybody may write to it", "chmod o-w "+text.Word(at))
	case mode&0o020 != 0 && !t.private(gid):
		return untrusted(at, "its group may write to it", "chmod g-w "+text.Word(at))
	}
	return nil
}

// owner looks at whose a file is.
func (t *trust) owner(at string, st fs.FileInfo) error {
	uid, _, ok := t.ids(at, st)
	if !ok {
		return untrusted(at, "its owner is unknown", "ls -ld "+text.Word(at))
	}
	if uid != 0 && uid != t.uid {
		return untrusted(at, fmt.Sprintf("it belongs to user %d, who is neither root nor you", uid), "chown "+strconv.Itoa(t.uid)+" "+text.Word(at)+", once you have read it, or run pgtui as its owner")
	}
	return nil
}

func untrusted(at, why, try string) error {
	return &source.Hint{Err: fmt.Errorf("%s: %s: %w", text.Line(at, 200), why, ErrUntrusted), Try: try}
}

func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// private reports whether a group is root's, or this user's and no one else's.
func (t *trust) private(gid int) bool {
	if gid == 0 {
		return true
	}
	if gid != t.gid {
		return false
	}
	me := ""
	others := false
	each(t.passwd, func(f []string) {
		if len(f) < 4 {
			return
		}
		switch {
		case f[2] == strconv.Itoa(t.uid):
			me = f[0]
		case f[3] == strconv.Itoa(gid):
			others = true // it is their own group too
		}
	})
	found := false
	each(t.group, func(f []string) {
		if len(f) < 4 || f[2] != strconv.Itoa(gid) {
			return
		}
		found = true
		for m := range strings.SplitSeq(f[3], ",") {
			others = others || m != "" && m != me
		}
	})
	return found && me != "" && !others
}

// each calls f with the fields of every line of a file such as /etc/group.
func each(file string, f func([]string)) {
	r, err := os.Open(file)
	if err != nil {
		return
	}
	defer r.Close()
	for sc := bufio.NewScanner(r); sc.Scan(); {
		f(strings.Split(sc.Text(), ":"))
	}
}
