package render

import "testing"

func TestCosmetic(t *testing.T) {
	const file = "# ansible managed: x\nlisten a\n    bind *:5433\n    mode tcp\n    option httpchk\n    default-server inter 2s\n\n    server a-1 10.0.0.1:5432 check weight 100 \n    server a-2 10.0.0.2:5432 check weight 100 backup\n"
	for _, tt := range []struct {
		name, other string
		want        bool
	}{
		{"another comment", "# by hand\n" + file, true},
		{"blank lines and tabs", "\nlisten a\n\tbind *:5433\n\tmode   tcp\n\n\n\toption httpchk\n\tdefault-server inter 2s\n\tserver a-1 10.0.0.1:5432 check weight 100\n\tserver a-2 10.0.0.2:5432 check weight 100 backup # second\n", true},
		{"settings without an order in another order", "listen a\n option httpchk\n mode tcp\n bind *:5433\n default-server inter 2s\n server a-1 10.0.0.1:5432 check weight 100\n server a-2 10.0.0.2:5432 check weight 100 backup\n", true},
		{"servers in another order: the first backup counts", "listen a\n bind *:5433\n mode tcp\n option httpchk\n default-server inter 2s\n server a-2 10.0.0.2:5432 check weight 100 backup\n server a-1 10.0.0.1:5432 check weight 100\n", false},
		{"default-server after the servers", "listen a\n bind *:5433\n mode tcp\n option httpchk\n server a-1 10.0.0.1:5432 check weight 100\n server a-2 10.0.0.2:5432 check weight 100 backup\n default-server inter 2s\n", false},
		{"a weight", "listen a\n bind *:5433\n mode tcp\n option httpchk\n default-server inter 2s\n server a-1 10.0.0.1:5432 check weight 10\n server a-2 10.0.0.2:5432 check weight 100 backup\n", false},
		{"no final line end: HAProxy refuses the file", file[:len(file)-1], false},
		{"a hash in quotes is no comment", file + "    server \"a#3\" 10.0.0.3:5432\n", false},
	} {
		if got := Cosmetic([]byte(file), []byte(tt.other)); got != tt.want {
			t.Errorf("%s: cosmetic %v, want %v", tt.name, got, tt.want)
		}
	}
	if Cosmetic(nil, []byte(file)) || Cosmetic([]byte(file), nil) {
		t.Error("a missing file is no cosmetic difference")
	}
	if !Cosmetic([]byte("listen a\n maxconn 1\n maxconn 2\n"), []byte("listen a\n  maxconn 1\n  maxconn 2\n")) || Cosmetic([]byte("listen a\n maxconn 1\n maxconn 2\n"), []byte("listen a\n maxconn 2\n maxconn 1\n")) {
		t.Error("of two settings of one keyword the later wins: their order counts")
	}
}
