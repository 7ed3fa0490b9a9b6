package cli

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// lineView prints a line for each change: for pipes and files. Its times are instants, since
// lines are read later.
type lineView struct {
	app  *app
	last *dialtonev1.Workflow
}

func (v *lineView) say(words string) { sayConnection(v.app, words) }
func (*lineView) tick() error        { return nil }
func (*lineView) leave() error       { return nil }

func (v *lineView) show(message *dialtonev1.WatchWorkflowResponse) error {
	w := message.GetWorkflow()
	all := changes(v.last, w)
	for i := range all {
		all[i].at = cmp.Or(all[i].at, w.GetUpdateTime())
	}
	slices.SortStableFunc(all, inTime)
	var out strings.Builder
	for _, c := range all {
		out.WriteString(pad(exact(c.at), len(exactLayout)) + "  " + pad(c.subject, 22) + "  " + c.text + "\n")
	}
	v.last = w
	return v.app.write(out.String())
}

// inTime orders changes; the end comes last, whatever the times of the others.
func inTime(a, b change) int {
	if a.end != b.end {
		if a.end {
			return 1
		}
		return -1
	}
	return a.at.AsTime().Compare(b.at.AsTime())
}

// pad fills a text up to a width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len([]rune(text))))
}

// change is one thing that is different now.
type change struct {
	// at is when, if it is known better than by the whole's update time.
	at      *timestamppb.Timestamp
	subject string
	text    string
	// end says that it is the end of the whole.
	end bool
}

// changes compares two sights of an activation; nil is one never seen. The whole comes last,
// so that among things of one time the end is the last line.
func changes(was, is *dialtonev1.Workflow) []change {
	var all []change
	all = append(all, stepChanges(was, is)...)
	all = append(all, portChanges(was.GetPort(), is.GetPort())...)
	all = append(all, profileChanges(was.GetProfile(), is.GetProfile())...)
	all = append(all, noticeChanges(was.GetNotices(), is.GetNotices())...)
	all = append(all, itemChanges(was.GetItems(), is.GetItems())...)
	if was.GetPhoneNumber() != is.GetPhoneNumber() {
		all = append(all, change{subject: "number", text: is.GetPhoneNumber()})
	}
	if was.GetCancel() == nil && is.GetCancel() != nil {
		c := is.GetCancel()
		all = append(all, change{at: c.GetTime(), subject: "stop", text: "asked for by " + by(c.GetPrincipal(), c.GetActor()) + ": " + c.GetReason()})
	}
	if is.GetCancel().GetTooLate() && !was.GetCancel().GetTooLate() {
		all = append(all, change{subject: "stop", text: "too late: the number has moved, nothing is taken down"})
	}
	if now := stateLine(is); now != stateLine(was) {
		at := is.GetSince()
		if is.GetState() == was.GetState() {
			at = nil
		}
		all = append(all, change{at: at, subject: "activation", text: now, end: is.GetEndTime() != nil})
	}
	return all
}

// stateLine is the whole in a line.
func stateLine(w *dialtonev1.Workflow) string {
	state := word(w.GetState())
	if w.GetEndTime() != nil {
		state += " after " + between(w.GetCreateTime(), w.GetEndTime())
	}
	return join("; ", state, join(": ", w.GetReason(), w.GetReasonMessage()), labelled("next: ", w.GetNext()), labelled("by ", exact(w.GetDeadline())))
}

func labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + text
}

func stepChanges(was, is *dialtonev1.Workflow) []change {
	before := make(map[string]string)
	for _, s := range was.GetSteps() {
		before[s.GetName()] = stepLine(s)
	}
	var all []change
	for _, s := range is.GetSteps() {
		line := stepLine(s)
		old, known := before[s.GetName()]
		// At first sight, what has not begun is no news.
		if line == old || !known && s.GetState() == dialtonev1.StepState_STEP_STATE_PENDING {
			continue
		}
		at := s.GetEndTime()
		if at == nil && s.GetState() == dialtonev1.StepState_STEP_STATE_RUNNING {
			at = s.GetStartTime()
		}
		all = append(all, change{at: at, subject: s.GetName(), text: line})
	}
	return all
}

func stepLine(s *dialtonev1.Step) string {
	return join("; ", word(s.GetState()), retries(s), join(": ", s.GetReason(), s.GetDetail()), labelled("next try ", exact(s.GetNextTryTime())))
}

func portChanges(was, is *dialtonev1.Port) []change {
	line := portLine(is)
	if line == portLine(was) {
		return nil
	}
	return []change{{at: is.GetSince(), subject: "port", text: line}}
}

func portLine(port *dialtonev1.Port) string {
	if port == nil {
		return ""
	}
	return join("; ", word(port.GetState()), join(": ", port.GetReason(), port.GetReasonMessage()), labelled("the number moves ", exact(port.GetDueTime())))
}

func profileChanges(was, is *dialtonev1.Profile) []change {
	line := profileLine(is)
	if line == profileLine(was) {
		return nil
	}
	return []change{{subject: "eSIM", text: line}}
}

func profileLine(profile *dialtonev1.Profile) string {
	if profile == nil {
		return ""
	}
	return join("; ", "ICCID ending in "+profile.GetIccidLast4(), word(profile.GetState()), word(profile.GetInstallState()), profile.GetInstallDetail())
}

func noticeChanges(was, is []*dialtonev1.Notice) []change {
	before := make(map[string]dialtonev1.NoticeDelivery)
	for _, n := range was {
		before[n.GetNoticeId()] = n.GetDelivery()
	}
	var all []change
	for _, n := range is {
		if old, known := before[n.GetNoticeId()]; known && old == n.GetDelivery() {
			continue
		}
		at := n.GetDeliveryTime()
		if at == nil {
			at = n.GetTime()
		}
		all = append(all, change{at: at, subject: "e-mail", text: join("; ", word(n.GetKind()), word(n.GetDelivery()), n.GetMaskedAddress(), n.GetReason())})
	}
	return all
}

func itemChanges(was, is []*dialtonev1.Item) []change {
	open := make(map[string]bool)
	for _, item := range was {
		open[item.GetItemId()] = item.GetCloseTime() == nil
	}
	var all []change
	for _, item := range is {
		wasOpen, known := open[item.GetItemId()]
		isOpen := item.GetCloseTime() == nil
		switch {
		case isOpen && !known:
			all = append(all, change{at: item.GetOpenTime(), subject: "operator", text: join("; ", "asked to look: "+itemName(item), word(item.GetSeverity()), item.GetMessage())})
		case !isOpen && wasOpen:
			all = append(all, change{at: item.GetCloseTime(), subject: "operator", text: join("; ", "settled: "+itemName(item), word(item.GetResolution()))})
		}
	}
	return all
}
