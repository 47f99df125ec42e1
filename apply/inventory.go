package apply

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"pgtui/source"
)

// WriteInventory replaces the text of an inventory file, old by new, on this
// machine. The file must still be old: a change made meanwhile wins. The
// new text is written beside it with its mode and owner, is on the disk before
// it takes the name, and a reader sees all of the one or of the other. Of a
// symbolic link the file it leads to is replaced. After an error the file is as
// it was, except when the error says that it was written.
//
// Nothing locks the file: what another program writes between the last look
// and the rename, some microseconds, is lost.
func WriteInventory(path string, old, new []byte) error {
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("%s: nothing was changed: %w", path, err)
	}
	st, err := os.Lstat(file)
	if err != nil {
		return fmt.Errorf("%s: nothing was changed: %w", path, err)
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	switch {
	case !st.Mode().IsRegular() || !ok:
		return fmt.Errorf("%s is not a regular file: nothing was changed", path)
	case sys.Nlink > 1:
		return &source.Hint{Err: fmt.Errorf("%s has %d names (hard links), and only one of them would get the new text: nothing was changed", path, sys.Nlink), Try: "edit it by hand"}
	}
	if err := still(file, old); err != nil {
		return err
	}
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, ".pgtui-*~") // a name that Ansible ignores
	if err != nil {
		return fmt.Errorf("%s: nothing was changed: %w", path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone once it has taken the name
	err = fill(f, new, st.Mode(), int(sys.Uid), int(sys.Gid))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: nothing was changed: %w", path, err)
	}
	if err := still(file, old); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("%s: nothing was changed: %w", path, err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%s was written, but may not survive a power cut: %w", path, err)
	}
	return nil
}

// still reports a file that is not what it was read as.
func still(file string, old []byte) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("%s: nothing was changed: %w", file, err)
	}
	defer f.Close()
	have, err := io.ReadAll(io.LimitReader(f, int64(len(old))+1))
	if err != nil {
		return fmt.Errorf("%s: nothing was changed: %w", file, err)
	}
	if !bytes.Equal(have, old) {
		return &source.Hint{Err: fmt.Errorf("%s was changed meanwhile: nothing was changed by pgtui", file), Try: "run the command again"}
	}
	return nil
}

// fill makes f a file with that text, mode and owner, on the disk.
func fill(f *os.File, text []byte, mode os.FileMode, uid, gid int) error {
	if _, err := f.Write(text); err != nil {
		return err
	}
	if st, err := f.Stat(); err != nil {
		return err
	} else if sys, ok := st.Sys().(*syscall.Stat_t); !ok || int(sys.Uid) != uid || int(sys.Gid) != gid {
		if err := f.Chown(uid, gid); err != nil {
			return fmt.Errorf("its owner cannot be kept: %w", err)
		}
	}
	if err := f.Chmod(mode & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir has a rename in the directory outlive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
