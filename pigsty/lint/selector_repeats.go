package lint

import (
	"fmt"

	"pgtui/model"
)

// selectorRepeats: a selector or backup that gives one member twice.
func selectorRepeats() Rule {
	return Rule{"selector-repeats", Error, "a selector that returns a member twice",
		"HAProxy refuses a section with two servers of the same name, and with it the whole configuration",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				servers, _ := s.Servers()
				seen := map[model.Host]bool{}
				for _, v := range servers {
					if !seen[v.Host] {
						seen[v.Host] = true
						continue
					}
					key, text := "selector", s.Selector
					if !twice(s.Members) {
						key, text = "backup", s.Backup
					}
					report(Finding{At: in.at(s, key), Subject: title(c, s),
						What: fmt.Sprintf("%s %s of service %s gives %s twice", key, text, s.Name, v.Name),
						Fix:  "join the conditions with || in one [? … ] instead of joining lists"})
					break
				}
			}
		}}
}

func twice(l []model.Server) bool {
	seen := map[model.Host]bool{}
	for _, v := range l {
		if seen[v.Host] {
			return true
		}
		seen[v.Host] = true
	}
	return false
}
