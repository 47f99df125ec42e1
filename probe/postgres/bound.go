package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// mostWire is how much one server may send on one connection, in bytes:
	// messages of the login, notices, settings, rows and errors together.
	mostWire = 1 << 20
	// MostMessage is how large one of its messages may be, in bytes. The library
	// makes room for a message when its length is announced.
	MostMessage = 64 << 10
)

// errTalks is the end of a connection whose server sends too much.
var errTalks = errors.New("the server sends too much data")

// boundWire keeps a server from sending more than most bytes on one connection:
// whoever listens on the port may send for ever.
func boundWire(cfg *pgconn.Config, most int) {
	cfg.MaxProtocolMessageBodyLen = MostMessage
	dial := cfg.DialFunc
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &boundConn{Conn: c, left: most}, nil
	}
}

// BoundWire is for other programs of pgtui that connect to PostgreSQL.
func BoundWire(cfg *pgconn.Config) { boundWire(cfg, mostWire) }

// boundConn is a connection that gives up when the other side has sent too much.
type boundConn struct {
	net.Conn
	left int // one goroutine reads at a time
}

// Read implements net.Conn.
func (c *boundConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTalks
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// OneRow sends a query whose answer is one row. More rows are not read, and an
// error: the connection is of no use any more then.
func OneRow(ctx context.Context, conn *pgconn.PgConn, question string) ([][]byte, error) {
	answers := conn.Exec(ctx, question)
	var row [][]byte
	rows, results := 0, 0
	for answers.NextResult() {
		results++
		for r := answers.ResultReader(); r.NextRow(); {
			if rows++; rows > 1 {
				closeNow(conn)
				return nil, ErrOneRow
			}
			for _, v := range r.Values() {
				row = append(row, append([]byte(nil), v...))
			}
		}
	}
	if err := answers.Close(); err != nil {
		return nil, err
	}
	if rows != 1 || results != 1 {
		return nil, ErrOneRow
	}
	return row, nil
}

// ErrOneRow reports an answer that is not the one row that was requested.
var ErrOneRow = errors.New("the answer is not in the expected form")

// closeNow ends a connection without reading the rest of what is on its way.
func closeNow(conn *pgconn.PgConn) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = conn.Conn().Close() // what is on its way is of no interest
	_ = conn.Close(ctx)
}

// anyLogin is the require_auth of libpq that holds without another: everything
// but a password in clear text.
const anyLogin = "!password"

// CheckAuth is what is wrong with a require_auth, nil for nothing.
func CheckAuth(methods string) error {
	good := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-!,", r)
	}
	if strings.ContainsFunc(methods, func(r rune) bool { return !good(r) }) || parses(methods) != nil {
		return fmt.Errorf("%q is no list of authentication methods: expected scram-sha-256, md5, password, gss, sspi, oauth or none, each with or all without ! before it", methods)
	}
	return nil
}

func parses(methods string) error {
	_, err := pgconn.ParseConfig("host=localhost port=5432 user=x dbname=x sslmode=disable require_auth=" + methods)
	return err
}
