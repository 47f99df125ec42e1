package model

import (
	"slices"

	"pgtui/haproxy"
)

// ZeroedByHand reports whether the weight 0 of a server is not the declared one.
func (s *Service) ZeroedByHand(name InstanceName) bool {
	servers, _ := s.Servers()
	i := slices.IndexFunc(servers, func(sv Server) bool { return sv.Name == name })
	return i >= 0 && haproxy.WeightDiffers(servers[i].Weight, 0)
}
