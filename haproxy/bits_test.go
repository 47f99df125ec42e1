package haproxy_test

import (
	"testing"

	"pgtui/haproxy"
)

func TestAdminBits(t *testing.T) {
	for bits, want := range map[haproxy.AdminBits]struct {
		admin  haproxy.Admin
		byHand bool
	}{
		0:    {haproxy.AdminReady, false},
		0x01: {haproxy.AdminMaint, true},
		0x02: {haproxy.AdminMaint, false},
		0x04: {haproxy.AdminReady, false}, // "disabled", and made ready since
		0x05: {haproxy.AdminMaint, false},
		0x08: {haproxy.AdminDrain, true},
		0x09: {haproxy.AdminMaint, true},
		0x10: {haproxy.AdminDrain, false},
		0x20: {haproxy.AdminMaint, false},
		0x28: {haproxy.AdminMaint, true},
		0x40: {haproxy.AdminReady, false},
		0x48: {haproxy.AdminDrain, true},
	} {
		if bits.Admin() != want.admin || bits.ByHand() != want.byHand {
			t.Errorf("%#x: %s, by hand %v; want %+v", bits, bits.Admin(), bits.ByHand(), want)
		}
	}
}
