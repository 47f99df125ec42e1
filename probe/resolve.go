package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/probe/postgres"
)

// maxAddrs bounds the addresses of one answer.
const maxAddrs = 32

// Resolve queries the system's resolver and each of Pigsty's DNS servers for the
// IPv4 addresses of a name, all at once and within the prober's timeout. The
// system's answer comes first. An address is its own answer: nil.
func (p *Prober) Resolve(ctx context.Context, inv *model.Inventory, name string) []access.Lookup {
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	servers := []string{"system"}
	agent := consulOf(inv, name)
	if agent != nil {
		servers = append(servers, net.JoinHostPort(agent.Address, strconv.Itoa(int(agent.DNS))), access.LookupConsul+net.JoinHostPort(agent.Address, strconv.Itoa(int(agent.HTTP))))
	}
	for _, c := range inv.Resolvers() {
		servers = append(servers, net.JoinHostPort(string(c.Host), strconv.Itoa(int(c.Port))))
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	out := make([]access.Lookup, len(servers))
	var g guard.Group
	for i, server := range servers {
		g.Go("asking "+server+" for "+name, func() {
			l := access.Lookup{Server: server}
			start := p.o.Now()
			var err error
			switch api, isAPI := strings.CutPrefix(server, access.LookupConsul); {
			case server == "system":
				l.NoTTL = true
				l.Addrs, err = p.systemLookup(ctx, name)
			case isAPI:
				l.NoTTL = true
				l.Addrs, err = p.asker(inv).passing(ctx, api, name)
			default:
				l.Server = strings.TrimSuffix(server, ":53")
				l.Addrs, l.TTL, err = p.lookupAt(ctx, name, server)
			}
			l.Took = p.o.Now().Sub(start)
			slices.Sort(l.Addrs)
			if err != nil {
				l.Error = p.lookupError(err, server)
			}
			out[i] = l
		}, func(err error) { out[i] = access.Lookup{Server: strings.TrimSuffix(server, ":53"), Error: err.Error()} })
	}
	g.Wait()
	return out
}

// systemLookup resolves as every program of this machine does, /etc/hosts included.
func (p *Prober) systemLookup(ctx context.Context, name string) ([]string, error) {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, a := range found {
		if s := a.Unmap().String(); len(out) < maxAddrs && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, nil
}

var errNoName = errors.New("it does not know the name")

// lookupAt queries one server for the addresses and how long they may be kept:
// the shortest time on the way through aliases.
func (p *Prober) lookupAt(ctx context.Context, name, server string) ([]string, time.Duration, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), dns.TypeA)
	in, err := p.exchange(ctx, m, server)
	if err != nil {
		return nil, 0, err
	}
	if in.Rcode == dns.RcodeRefused || in.Rcode == dns.RcodeServerFailure {
		return nil, 0, fmt.Errorf("it answers %s", dns.RcodeToString[in.Rcode])
	}
	var out []string
	ttl := time.Duration(-1)
	for _, rr := range in.Answer {
		if d := time.Duration(rr.Header().Ttl) * time.Second; ttl < 0 || d < ttl {
			ttl = d
		}
		if a, ok := rr.(*dns.A); ok && len(out) < maxAddrs {
			out = append(out, a.A.String())
		}
	}
	if len(out) == 0 {
		return nil, 0, errNoName
	}
	return out, ttl, nil
}

// lookupError reports why a resolver gave no address.
func (p *Prober) lookupError(err error, server string) string {
	var de *net.DNSError
	switch {
	case errors.Is(err, errNoName), errors.As(err, &de) && de.IsNotFound:
		return errNoName.Error()
	case postgres.IsTimeout(err):
		return fmt.Sprintf("no answer within %v", p.o.Timeout)
	case errors.As(err, &de):
		return text.Line(de.Err, 120)
	}
	if try := postgres.FaultOf(err, server, p.o.Timeout); try.Fault == model.FaultRefused {
		return try.Text
	}
	return text.Line(postgres.LastCause(err), 120)
}
