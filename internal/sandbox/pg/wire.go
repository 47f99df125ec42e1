// Package pg simulates PostgreSQL and pgbouncer on the wire: logging in, pgtui's
// own query, and pgbouncer's console.
package pg

import (
	"crypto/md5" //nolint:gosec // the protocol requires it
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgproto3"
)

// The users that can log in: Pigsty's monitoring user and its administrator, as the
// inventory has them by default.
const (
	monitorUser     = "dbuser_monitor"
	monitorPassword = "DBUser.Monitor"
	monitorDatabase = "postgres"
	adminUser       = "dbuser_dba"
	adminPassword   = "DBUser.DBA"
)

// passwordOf is the password of a user; "" of one that cannot log in.
func passwordOf(user string) string {
	return map[string]string{monitorUser: monitorPassword, adminUser: adminPassword}[user]
}

// maxMessage bounds a client's message, in bytes.
const maxMessage = 64 << 10

// Error is an error that PostgreSQL or pgbouncer reports to its client.
type Error struct{ code, text string }

func (e *Error) Error() string { return e.text }

// ErrSilent is a connection that gets no answer; ErrClosed one that is closed
// without an answer.
var (
	ErrSilent = errors.New("no answer")
	ErrClosed = errors.New("closed")
)

// Server gives do the state of the server behind a connection; nothing changes
// the state meanwhile. It returns what do returns, or ErrSilent when the server
// cannot be reached.
type Server func(do func(*State) error) error

// Conn is one client connection.
type Conn struct {
	*pgproto3.Backend
	net            net.Conn
	user, database string
}

// NewConn is a connection that has not started up.
func NewConn(c net.Conn) *Conn {
	b := pgproto3.NewBackend(c, c)
	b.SetMaxBodyLen(maxMessage)
	return &Conn{Backend: b, net: c}
}

// Startup reads the client's first message. It declines TLS, as pgbouncer does.
func (c *Conn) Startup() error {
	for range 3 {
		m, err := c.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := c.net.Write([]byte("N")); err != nil {
				return err
			}
		case *pgproto3.StartupMessage:
			if m.ProtocolVersion != pgproto3.ProtocolVersion30 {
				return ErrClosed
			}
			c.user, c.database = m.Parameters["user"], m.Parameters["database"]
			return nil
		default:
			return ErrClosed
		}
	}
	return ErrClosed
}

// TurnAway ends a connection with an error. ErrSilent keeps it open until the
// client gives up.
func (c *Conn) TurnAway(err error) error {
	if errors.Is(err, ErrSilent) {
		_, _ = io.Copy(io.Discard, c.net)
		return err
	}
	pe := &Error{}
	if !errors.As(err, &pe) {
		return err
	}
	c.fail("FATAL", pe)
	return c.Flush()
}

// fail sends an error.
func (c *Conn) fail(severity string, e *Error) {
	c.Send(&pgproto3.ErrorResponse{Severity: severity, SeverityUnlocalized: severity, Code: e.code, Message: e.text})
}

// ready ends an answer.
func (c *Conn) ready() { c.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'}) }

// Serve lets a client that has started up log in, and answers its queries until
// it leaves.
func (c *Conn) Serve(server Server) error {
	if err := server(func(s *State) error { return s.admit(c) }); err != nil {
		return c.TurnAway(err)
	}
	if err := c.login(); err != nil {
		return c.TurnAway(err)
	}
	for {
		m, err := c.Receive()
		if err != nil {
			return err
		}
		if _, ends := m.(*pgproto3.Terminate); ends {
			return nil
		}
		query := ""
		if q, ok := m.(*pgproto3.Query); ok {
			query = q.String
		}
		err = server(func(s *State) error { return s.answer(c, query) })
		pe := &Error{}
		switch {
		case errors.As(err, &pe):
			c.fail("FATAL", pe)
		case err != nil:
			return c.TurnAway(err)
		}
		c.ready()
		if err := c.Flush(); err != nil {
			return err
		}
	}
}

// login requests the password of the user.
func (c *Conn) login() error {
	salt := [4]byte{'s', 'a', 'l', 't'} // the password is public: any salt does
	c.Send(&pgproto3.AuthenticationMD5Password{Salt: salt})
	if err := errors.Join(c.Flush(), c.SetAuthType(pgproto3.AuthTypeMD5Password)); err != nil {
		return err
	}
	m, err := c.Receive()
	if err != nil {
		return err
	}
	secret := passwordOf(c.user)
	want := "md5" + hexMD5(hexMD5(secret+c.user)+string(salt[:]))
	if p, ok := m.(*pgproto3.PasswordMessage); !ok || secret == "" || p.Password != want {
		return &Error{"28P01", fmt.Sprintf("password authentication failed for user %q", c.user)}
	}
	if c.database != monitorDatabase && c.database != consoleDatabase {
		return &Error{"3D000", fmt.Sprintf("database %q does not exist", c.database)}
	}
	c.Send(&pgproto3.AuthenticationOk{})
	c.ready()
	return c.Flush()
}

func hexMD5(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) } //nolint:gosec // the protocol requires it

// row sends one row of columns without names.
func (c *Conn) row(row []string) {
	cols := make([]string, len(row))
	for i := range cols {
		cols[i] = fmt.Sprintf("c%d", i)
	}
	c.table("SELECT 1", cols, row)
}

// table sends a description, rows of text and the end of the statement.
func (c *Conn) table(tag string, cols []string, rows ...[]string) {
	const text = 25 // the type's OID
	d := &pgproto3.RowDescription{}
	for _, name := range cols {
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: []byte(name), DataTypeOID: text, DataTypeSize: -1, TypeModifier: -1})
	}
	c.Send(d)
	for _, row := range rows {
		r := &pgproto3.DataRow{}
		for _, v := range row {
			r.Values = append(r.Values, []byte(v))
		}
		c.Send(r)
	}
	c.Send(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
}
