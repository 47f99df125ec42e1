package haproxy

import "strings"

// The words of HAProxy 2.6 and 3.0 that Pigsty and common configurations use.
// Any other word is an error.

// known reports whether word, without an argument in parentheses, is in list.
func known(list, word string) bool {
	name, _, _ := strings.Cut(word, "(")
	if name == "" || strings.ContainsAny(name, " \n") {
		return false
	}
	for {
		_, rest, ok := strings.Cut(list, " "+name)
		if !ok {
			return false
		}
		if rest != "" && (rest[0] == ' ' || rest[0] == '\n') {
			return true
		}
		list = rest
	}
}

func globalWords() string {
	return ` ca-base chroot cluster-secret cpu-map crt-base daemon default-path description external-check
 fd-hard-limit gid group h1-case-adjust hard-stop-after insecure-fork-wanted insecure-setuid-wanted issuers-chain-path
 localpeer log log-send-hostname log-tag lua-load lua-load-per-thread lua-prepend-path master-worker maxcompcpuusage
 maxcomprate maxconn maxconnrate maxpipes maxsessrate maxsslconn maxsslrate maxzlibmem mworker-max-reloads nbproc nbthread
 no node noepoll noevports nogetaddrinfo nokqueue nopoll noreuseport nosplice numa-cpu-mapping pidfile
 pp2-never-send-local prealloc-fd profiling.tasks server-state-base server-state-file set-dumpable set-var set-var-fmt
 setenv presetenv resetenv unsetenv spread-checks ssl-default-bind-ciphers ssl-default-bind-ciphersuites
 ssl-default-bind-curves ssl-default-bind-options ssl-default-server-ciphers ssl-default-server-ciphersuites
 ssl-default-server-options ssl-dh-param-file ssl-engine ssl-load-extra-files ssl-mode-async ssl-server-verify
 ssl-skip-self-issued-ca stats strict-limits thread-group thread-groups uid ulimit-n unix-bind user wurfl-data-file
 busy-polling close-spread-time expose-experimental-directives grace harden.reject-privileged-ports.tcp zero-warning
 tune.bufsize tune.buffers.limit tune.comp.maxlevel tune.h2.max-concurrent-streams tune.http.maxhdr tune.idletimer
 tune.maxaccept tune.maxpollevents tune.maxrewrite tune.pipesize tune.rcvbuf.client tune.rcvbuf.server tune.sndbuf.client
 tune.sndbuf.server tune.ssl.cachesize tune.ssl.default-dh-param tune.ssl.lifetime tune.ssl.maxrecord tune.listener.multi-queue
 tune.fd.edge-triggered tune.sched.low-latency tune.runqueue-depth tune.quic.socket-owner tune.pool-low-fd-ratio
 tune.pool-high-fd-ratio tune.vars.global-max-size tune.vars.proc-max-size tune.lua.maxmem limited-quic node-id `
}

func proxyWords() string {
	return ` acl backlog capture clitcpka-cnt clitcpka-idle clitcpka-intvl compression cookie declare default_backend
 description disabled dispatch email-alert enabled errorfile errorfiles errorloc errorloc302 errorloc303 error-log-format
 external-check filter force-persist fullconn guid hash-balance-factor hash-preserve-affinity hash-type http-after-response
 http-error http-request http-response http-reuse http-send-name-header id ignore-persist load-server-state-from-file log
 log-format log-format-sd log-steps log-tag max-keep-alive-queue max-session-srv-conns monitor monitor-net monitor-uri no
 option persist rate-limit redirect redisp retry-on server-state-file-name server-template source srvtcpka-cnt
 srvtcpka-idle srvtcpka-intvl stick stick-table tcp-check tcp-request tcp-response transparent unique-id-format
 unique-id-header use-fcgi-app use_backend use-server dynamic-cookie-key quic-initial
`
}

func optionWords() string {
	return ` abortonclose accept-invalid-http-request accept-invalid-http-response accept-unsafe-violations-in-http-request
 allbackups checkcache clitcpka contstats disable-h2-upgrade dontlog-normal dontlognull external-check forceclose
 forwardfor forwarded h1-case-adjust-bogus-client h1-case-adjust-bogus-server http-buffer-request http-ignore-probes
 http-keep-alive http-no-delay http-pretend-keepalive http-restrict-req-hdr-names http-server-close http-use-htx
 http-use-proxy-header httpchk httpclose httplog httpslog idle-close-on-response independent-streams ldap-check
 log-health-checks log-separate-errors logasap mysql-check nolinger originalto persist pgsql-check prefer-last-server
 redispatch redis-check smtpchk socket-stats splice-auto splice-request splice-response spop-check srvtcpka ssl-hello-chk
 tcp-check tcp-smart-accept tcp-smart-connect tcpka tcplog tcp_proxy transparent `
}

// optionsWithArgs are the options that something may follow.
func optionsWithArgs() string {
	return ` forwardfor forwarded originalto httpchk httplog mysql-check pgsql-check smtpchk redispatch http-restrict-req-hdr-names
 httpslog tcp-check `
}

func bindFlags() string {
	return ` accept-proxy allow-0rtt defer-accept expose-fd force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13
 generate-certificates listeners no-alpn no-ca-names no-sslv3 no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13
 prefer-client-ciphers quic-force-retry ssl strict-sni tfo transparent v4v6 v6only `
}

func bindWords() string {
	return ` accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file ciphers ciphersuites
 client-sigalgs cc crl-file crt crt-ignore-err crt-list curves ecdhe expose-fd gid group guid-prefix id interface level maxconn
 mode mss name namespace nbconn nice npn ocsp-update proto process quic-cc-algo quic-socket severity-output shards sigalgs
 ssl-max-ver ssl-min-ver tcp-ut thread tls-ticket-keys uid user verify `
}

func timeoutWords() string {
	return ` check client client-fin client-hs connect http-keep-alive http-request queue server server-fin tarpit tunnel
 clitimeout contimeout srvtimeout `
}

func httpRequestWords() string {
	return ` add-acl add-header allow auth cache-use capture del-acl del-header del-map deny disable-l7-retry
 do-resolve early-hint normalize-uri redirect reject replace-header replace-path replace-pathq replace-uri
 replace-value return sc-add-gpc sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 send-spoe-group
 set-dst set-dst-port set-header set-log-level set-map set-mark set-method set-nice set-path set-pathq
 set-priority-class set-priority-offset set-query set-src set-src-port set-timeout set-tos set-uri set-var
 set-var-fmt set-bc-mark set-bc-tos set-fc-mark set-fc-tos silent-drop strict-mode tarpit track-sc0 track-sc1
 track-sc2 track-sc unset-var use-service wait-for-body wait-for-handshake `
}

// serverFlags are the server keywords without an argument.
func serverFlags() string {
	return ` agent-check no-agent-check allow-0rtt check-send-proxy no-check-send-proxy check-via-socks4 disabled
 enabled force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 no-send-proxy no-send-proxy-v2
 no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn no-ssl no-ssl-reuse no-sslv3 no-tls-tickets no-tlsv10 no-tlsv11
 no-tlsv12 no-tlsv13 no-tfo no-verifyhost non-stick send-proxy send-proxy-v2 send-proxy-v2-ssl
 send-proxy-v2-ssl-cn ssl ssl-reuse stick tfo tls-tickets `
}

// serverWords are the server keywords with one argument.
func serverWords() string {
	return ` addr agent-addr agent-inter agent-port agent-send alpn ca-file check-alpn check-proto check-sni ciphers
 ciphersuites client-sigalgs cookie crl-file crt curves downinter error-limit fall fastinter guid hash-key id
 init-addr inter log-bufsize log-proto max-reuse maxconn maxqueue minconn namespace npn observe on-error
 on-marked-down on-marked-up pool-conn-name pool-low-conn pool-max-conn pool-purge-delay port proto proxy-v2-options
 redir resolve-net resolve-opts resolve-prefer resolvers rise send-proxy-v2-options set-proxy-v2-tlv-fmt shard
 sigalgs slowstart sni socks4 source ssl-max-ver ssl-min-ver tcp-ut track usesrc verify verifyhost weight ws `
}
