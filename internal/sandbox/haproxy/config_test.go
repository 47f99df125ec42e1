package haproxy

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"pgtui/internal/fuzz"
)

// head is enough of a configuration for a section to stand in.
const head = "global\n maxconn 100\ndefaults\n mode tcp\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"

// The lines are what HAProxy 2.6.12 printed for the same files.
func TestConfigErrorsAreHAProxys(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unknown keyword", head + "listen a\n bind *:7001\n xyzzy 3\n", []string{
			"parsing [t.cfg:10] : unknown keyword 'xyzzy' in 'listen' section",
		}},
		{"before any section", "xyzzy 1\n" + head, []string{"parsing [t.cfg:1]: unknown keyword 'xyzzy' out of section."}},
		{"wrong words", head + "listen a\n bind *:7001\n balance foo\n maxconn abc\n mode tcpx\n", []string{
			"parsing [t.cfg:10] : balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hdr(name)' and 'rdp-cookie(name)' options.",
			"parsing [t.cfg:12] : unknown proxy mode 'tcpx'.",
		}},
		{"bad numbers", head + "listen a\n bind *:7001\n server s1 127.0.0.1:99999 check port 8008 weight 100\n" +
			" server s2 127.0.0.1:5432 check weight 999\n server s3 127.0.0.1:5432 check inter abc fall\n", []string{
			"[t.cfg:10] : 'server a/s1' : invalid port '99999'",
			"[t.cfg:11] : 'server a/s2' : weight of server s2 is not within 0 and 256 (999)..",
			"[t.cfg:12] : unexpected character 'a' in 'agent-inter' argument of server s3..",
		}},
		{"no line feed at the end", head + "listen a\n bind *:7001\n server s1 127.0.0.1:5432 check", []string{
			"parsing [t.cfg:10]: Missing LF on last line, file might have been truncated at position 32.",
		}},
		{"binds and checks", head + "listen a\n bind *:99999\n bind 7001\n option httpchkk\n http-check sendd meth OPTIONS uri /p\n" +
			" http-check send meth OPTIONS uri\n http-check expect status\n", []string{
			"parsing [t.cfg:9] : 'bind' : invalid port '99999'",
			"parsing [t.cfg:10] : 'bind' : missing port specification in '7001'",
			"parsing [t.cfg:11] : unknown option 'httpchkk'.",
			"parsing [t.cfg:12] : 'http-check' only supports 'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect', 'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'. but got 'sendd'",
			"parsing [t.cfg:13] : 'http-check send' : 'uri' expects a string as argument..",
			"parsing [t.cfg:14] : 'http-check expect' : 'status' expects a <pattern> as argument.",
		}},
		{"pg_rto fast on 2.6 and 3.0", head + "listen a\n bind *:1\n default-server inter 1s fastinter 0.5s\n server\n", []string{
			"[t.cfg:10] : unexpected character '.' in 'agent-inter' argument of server default-server..",
			"[t.cfg:11] : 'server' expects <name> and <addr>[:<port>] as arguments.",
		}},
		{"same name twice", head + "listen a\n bind *:7001\nlisten a\n bind *:7002\n", []string{
			"Parsing [t.cfg:10]: proxy 'a' has the same name as proxy 'a' declared at t.cfg:8.",
		}},
		{"a name with a star", head + "listen a*\n bind *:1\n mode tcp tcp\n", []string{
			"parsing [t.cfg:8] : character '*' is not permitted in 'listen' name 'a*'.",
			"parsing [t.cfg:10] : 'mode' cannot handle unexpected argument 'tcp'.",
		}},
		{"no such CA", head + "listen a\n bind *:1\n server s1 127.0.0.1:5432 check check-ssl ca-file /nosuch verify required\n" +
			" server s2 127.0.0.1:5432 backup on-marked-down foo\n", []string{
			"[t.cfg:10] : 'server a/s1' : Couldn't open the ca-file '/nosuch' (No such file or directory).",
			"[t.cfg:11] : 'server a/s2' : 'on-marked-down' expects 'shutdown-sessions' but got 'foo'",
		}},
		{"a comment, quotes and escapes", head + "listen a # note\n bind *:1\n http-check send meth OPTIONS uri \"/a b\" hdr X 'y # z'\n server a\\ b 10.0.0.1:1\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Parse([]File{{"t.cfg", []byte(c.text)}}, t.TempDir()).Alerts
			want := c.want
			if want != nil {
				want = append(want, "Error(s) found in configuration file : t.cfg", "Fatal errors found in configuration.")
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("have:\n%s\nreal HAProxy:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// The directory of services is read in HAProxy's order, and only what it reads.
func TestConfigDirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.cfg": "listen b\n bind *:2\n", "a.cfg": "listen a\n bind *:1\n", "10.cfg": "listen c\n bind *:3\n",
		".hidden.cfg": "junk\n", "x.cfg.cfg": "junk\n", "notes.txt": "junk\n",
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir+"/sub.cfg", 0o755); err != nil {
		t.Fatal(err)
	}
	files, err := readFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := Parse(files, dir)
	var names []string
	for _, p := range c.sections {
		names = append(names, p.name)
	}
	if len(c.Alerts) > 0 || strings.Join(names, " ") != "c a b" {
		t.Errorf("sections %v, errors %v", names, c.Alerts)
	}
}

// FuzzConfig: no file makes the check panic, every error names a line of the
// file, and a comment at its end changes nothing.
func FuzzConfig(f *testing.F) {
	fuzz.Target(f)
	f.Add(head + "listen a\n bind *:1\n server s 1.1.1.1:1 check port 1 weight 1 backup\n")
	f.Add(MainFile("pg-test-1", "127.0.0.1", 9101))
	f.Add("userlist u\n group admin users a\n user a insecure-password b\nlisten \"x\n http-request")
	line := regexp.MustCompile(`\[t:(\d+)\]`)
	f.Fuzz(func(t *testing.T, text string) {
		c := Parse([]File{{"t", []byte(text)}}, "/nowhere")
		for _, a := range c.Alerts {
			if m := line.FindStringSubmatch(a); m != nil && (m[1] == "0" || len(m[1]) > 9) {
				t.Errorf("no such line: %s", a)
			}
		}
		if !strings.HasSuffix(text, "\n") {
			return
		}
		if again := Parse([]File{{"t", []byte(text + "# end\n")}}, "/nowhere"); strings.Join(again.Alerts, "\n") != strings.Join(c.Alerts, "\n") {
			t.Errorf("a comment changed it: %q, then %q", c.Alerts, again.Alerts)
		}
	})
}
