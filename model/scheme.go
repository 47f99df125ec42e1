package model

// SchemeCode names a way to bring clients to a cluster.
type SchemeCode string

// The schemes: Pigsty's own seven, the dedicated tier, and AWS's.
const (
	SchemeDNSHAProxy   SchemeCode = "dns-haproxy"
	SchemeL2VIPHAProxy SchemeCode = "l2vip-haproxy"
	SchemeL4VIPHAProxy SchemeCode = "l4vip-haproxy"
	SchemeL4VIP        SchemeCode = "l4vip"
	SchemeConsul       SchemeCode = "consul"
	SchemeStaticDNS    SchemeCode = "static-dns"
	SchemeSmartClient  SchemeCode = "smart-client"
	SchemeHAProxyTier  SchemeCode = "haproxy-tier"
	SchemeRoute53      SchemeCode = "route53"
	SchemeAWSTier      SchemeCode = "aws-haproxy-tier"
	SchemeNLB          SchemeCode = "nlb"
	SchemeLayered      SchemeCode = "layered"
)
