package node

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed login.sh
var loginScript string

// Logins are the users that pgtui logs in as on the nodes, before sudo. An error is why it is
// not root there.
func (r Reader) Logins(ctx context.Context, nodes []*model.Node) map[model.Host]source.Observed[string] {
	return each(ctx, r, nodes, func(ctx context.Context, n *model.Node) (string, error) {
		out, err := r.Runner.Run(ctx, transport.Cmd{Target: n.SSH, Script: loginScript, Reads: true})
		if err != nil {
			return "", err
		}
		return parseLogin(out.Stdout)
	})
}

// parseLogin reads what login.sh prints: "pgtui-login 1 USER".
func parseLogin(b []byte) (string, error) {
	fields := strings.Fields(string(b[:min(len(b), 300)]))
	if len(fields) != 3 || fields[0] != "pgtui-login" || fields[1] != "1" {
		return "", errors.New("the answer is not what the script prints")
	}
	if user := fields[2]; user == text.Line(user, 64) && !strings.ContainsAny(user, `,:=\!()"'#%`) {
		return user, nil
	}
	return "", fmt.Errorf("the login has a name that sudoers cannot have: %q", text.Line(fields[2], 64))
}
