package text

import (
	"regexp"
	"slices"
	"strings"
)

// Secrets by the form that they have in logs and settings. What a cut left of a
// quoted one is one too.
var (
	inSQL     = regexp.MustCompile(`(?i)(\bpassword\s+)(?:E?'(?:[^'\\]|''|\\.)*(?:'|\\?$)|\$\w*\$[^$]*(?:\$\w*\$|$))`)
	inSetting = regexp.MustCompile(`(?i)((?:password|passwd|passphrase|pwd|secret|token)["']?\s*[=:]\s*)(?:'(?:[^'\\]|''|\\.)*(?:'|\\?$)|"(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s,;&'")}]+)`)
	inURI     = regexp.MustCompile(`(\b[a-z][a-z0-9+.-]*://[^\s:/@]+:)[^\s@/]+@`)
	inHeader  = regexp.MustCompile(`(?i)(\bauthorization: *\w+ +)\S+`)
	scram     = regexp.MustCompile(`SCRAM-SHA-256\$[^\s'"]+`)
	pem       = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)
	md5       = regexp.MustCompile(`\bmd5[0-9a-f]{32}\b`)
)

// Masked is s without what is a secret by its form: behind PASSWORD in SQL, behind a key
// such as password or token, in a URI, in an Authorization header, as a hash, or
// as a private key.
func Masked(s string) string {
	const stars = "********"
	s = pem.ReplaceAllString(s, stars)
	s = scram.ReplaceAllString(s, "SCRAM-SHA-256$$"+stars)
	s = md5.ReplaceAllString(s, "md5"+stars)
	s = inSQL.ReplaceAllString(s, "${1}'"+stars+"'")
	s = inSetting.ReplaceAllString(s, "${1}"+stars)
	s = inURI.ReplaceAllString(s, "${1}"+stars+"@")
	return inHeader.ReplaceAllString(s, "${1}"+stars)
}

// inFile is a setting of a file whose key has to do with secrets.
var inFile = regexp.MustCompile(`(?i)[\w.-]*(?:pass|secret|token|credential)[\w.-]*["']?[ \t]*[=:][ \t]*('[^'\n]*'|"[^"\n]*"|[^\s,;&'")}{\[]+)`)

// Secrets are what may be one in a file of settings, such as YAML: the values of keys that
// have to do with passwords, those in URIs, and the lines of private keys.
func Secrets(s string) []string {
	var out []string
	add := func(v string) {
		if v = strings.TrimSpace(strings.Trim(v, `'"`)); v != "" && !slices.Contains([]string{"true", "false", "null"}, strings.ToLower(v)) {
			out = append(out, v)
		}
	}
	for _, m := range inFile.FindAllStringSubmatch(s, -1) {
		add(m[1])
	}
	for _, m := range inURI.FindAllStringSubmatchIndex(s, -1) {
		add(s[m[3] : m[1]-1])
	}
	for _, key := range pem.FindAllString(s, -1) {
		for line := range strings.Lines(key) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
				add(line)
			}
		}
	}
	return out
}
