package apply

import (
	"slices"
	"strings"

	"pgtui/internal/text"
	"pgtui/plan"
	"pgtui/render"
)

// event is one line that node.sh printed.
type event struct {
	kind string // begin, ok, fail, text, staged, end, state, edited, statefile, closed, recovered, unarmed
	step string // for begin, ok, fail and text
	text string // safe to print
}

// maxEventText bounds the text of one line of a node, in bytes.
const maxEventText = 1000

// eventKinds are the words node.sh may begin a line with; true where a step
// follows.
func eventKind(word string) (stepped, known bool) {
	switch word {
	case "begin", "ok", "fail", "text":
		return true, true
	case "staged", "end", "state", "edited", "statefile", "closed", "recovered", "unarmed":
		return false, true
	}
	return false, false
}

// parseEvent reads one line of node.sh. Any line is accepted: what node.sh
// would not print itself is an error message of a command it ran, and becomes
// a text event without a step.
func parseEvent(line string) event {
	line = strings.TrimRight(line, "\r\n")
	if len(line) > maxEventText {
		line = line[:maxEventText]
	}
	line = text.Printable(render.MaskSecrets(line))
	rest, marked := strings.CutPrefix(line, "@")
	kind, rest, _ := strings.Cut(rest, " ")
	stepped, known := eventKind(kind)
	if !marked || !known {
		return event{kind: "text", text: line}
	}
	e := event{kind: kind, text: rest}
	if stepped {
		e.step, e.text, _ = strings.Cut(rest, " ")
		if !hidden(e.step) && !slices.Contains(steps(), e.step) {
			return event{kind: "text", text: line}
		}
	}
	return e
}

// Steps of node.sh that a report does not show.
const (
	stepStart   = "start"
	stepSettle  = "settle"
	stepReady   = "ready"
	stepConfirm = "confirm"
)

func hidden(step string) bool {
	return slices.Contains([]string{stepStart, stepSettle, stepReady, stepConfirm}, step)
}

func steps() []string {
	return []string{
		plan.StepStage, plan.StepCheck, plan.StepCompare, plan.StepBackup,
		plan.StepSwap, plan.StepReload, plan.StepVerify, plan.StepRestore,
	}
}
