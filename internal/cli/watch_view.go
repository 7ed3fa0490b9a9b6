package cli

import (
	"fmt"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// newView is how this stdout shows a watch.
func (a *app) newView(seen *dialtonev1.Workflow) view {
	switch {
	case a.json():
		return &jsonView{app: a}
	case a.terminal(a.env.Out):
		return &screenView{app: a}
	}
	return &lineView{app: a, last: seen}
}

// jsonView prints each message on a line.
type jsonView struct{ app *app }

func (v *jsonView) show(message *dialtonev1.WatchWorkflowResponse) error {
	return v.app.printJSON(message, true)
}

func (v *jsonView) say(words string) { sayConnection(v.app, words) }
func (*jsonView) tick() error        { return nil }
func (*jsonView) leave() error       { return nil }

// sayConnection tells on stderr that the connection was lost, and that it is back.
func sayConnection(a *app, words string) {
	if words == "" {
		words = "connected again"
	}
	a.say("%s", words)
}

// screenView redraws a few lines in place: a head, a line for each step, and what is next.
type screenView struct {
	app   *app
	last  *dialtonev1.Workflow
	words string
	// drawn is how many lines stand on the screen.
	drawn int
}

func (v *screenView) show(message *dialtonev1.WatchWorkflowResponse) error {
	v.last = message.GetWorkflow()
	return v.draw(false)
}

func (v *screenView) say(words string) { v.words = words }

func (v *screenView) tick() error { return v.draw(false) }

// leave draws once more, without the words on how to leave.
func (v *screenView) leave() error { return v.draw(true) }

// draw writes over what was drawn before. Lines are cut by the terminal, not broken by it
// (DECAWM off), so that each takes one row and the count of them is right at any width.
func (v *screenView) draw(leaving bool) error {
	if v.last == nil {
		return nil
	}
	p := v.app.page(v.app.env.Out)
	p.progress(v.last)
	if !leaving && v.last.GetEndTime() == nil {
		words := "Ctrl-C lets go; the work goes on."
		if v.words != "" {
			words = v.words
		}
		p.linef("%s", p.paint(words, dim))
	}
	var out strings.Builder
	out.WriteString("\x1b[?7l")
	if v.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA", v.drawn)
	}
	lines := strings.Split(strings.TrimSuffix(p.String(), "\n"), "\n")
	for _, line := range lines {
		out.WriteString("\r\x1b[2K" + line + "\n")
	}
	out.WriteString("\x1b[J\x1b[?7h")
	v.drawn = len(lines)
	return v.app.write(out.String())
}

// progress is an activation at a glance.
func (p *page) progress(w *dialtonev1.Workflow) {
	p.linef("%s%s", p.paint(strings.ToUpper(word(w.GetState())), stateTone(w.GetState())), p.sinceWhen(w))
	p.linef("%s", join(", ", journey(w), w.GetSubscriptionId(), w.GetPhoneNumber()))
	var rows []row
	for _, s := range w.GetSteps() {
		more := ""
		if s.GetState() != dialtonev1.StepState_STEP_STATE_DONE {
			more = join(", ", s.GetReason(), retries(s), p.nextTry(s), p.stepDue(s))
		}
		rows = append(rows, row{cells: []cell{
			{text: word(s.GetState()), tone: stepTone(s.GetState())},
			{text: s.GetName()},
			{text: p.stepTime(s)},
			{text: more},
		}})
	}
	p.table("  ", rows)
	if why := join(": ", w.GetReason(), w.GetReasonMessage()); why != "" {
		p.linef("Why:  %s", why)
	}
	if w.GetEndTime() == nil {
		if next := join(" ", w.GetNext(), parenthesised(p.dueShort(w.GetDeadline()))); next != "" {
			p.linef("Next: %s", next)
		}
		if who := party(w); who != "" && w.GetWaitingOn() != dialtonev1.Party_PARTY_DIALTONE {
			p.linef("Acts: %s", who)
		}
	}
}

func retries(s *dialtonev1.Step) string {
	if s.GetAttempts() < 2 {
		return ""
	}
	return counted(s.GetAttempts(), "try", "tries")
}

func (p *page) nextTry(s *dialtonev1.Step) string {
	if s.GetNextTryTime() == nil {
		return ""
	}
	if p.overdue(s.GetNextTryTime()) {
		return "trying again now"
	}
	return "next try " + p.dueShort(s.GetNextTryTime())
}

// stepDue is when a step that goes on is to be over.
func (p *page) stepDue(s *dialtonev1.Step) string {
	if s.GetEndTime() != nil || s.GetDeadline() == nil {
		return ""
	}
	if p.overdue(s.GetDeadline()) {
		return p.dueShort(s.GetDeadline())
	}
	return "due " + p.dueShort(s.GetDeadline())
}
