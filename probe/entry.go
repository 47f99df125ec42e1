package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"time"
)

// sslRequest connects, asks for TLS and reads the one byte of the answer:
// whoever says S or N speaks PostgreSQL's protocol.
func (p *Prober) sslRequest(ctx context.Context, addr string) (offered bool, err error) {
	conn, err := p.o.Dial(ctx, "tcp", addr)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}); err != nil {
		return false, err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return false, err
	}
	switch answer[0] {
	case 'N':
		return false, nil
	case 'S':
		// A server that is left in the middle of a handshake complains in its log.
		c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // nothing is sent or believed
		return c.HandshakeContext(ctx) == nil, nil
	}
	return false, fmt.Errorf("the answer to a TLS request begins with %q: this is not PostgreSQL's protocol", answer[0])
}
