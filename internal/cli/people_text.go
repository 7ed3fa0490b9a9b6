package cli

import (
	"fmt"
	"slices"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// notices lists the e-mails to the customer.
func (p *page) notices(all []*dialtonev1.Notice) {
	if len(all) == 0 {
		return
	}
	p.title("E-mails to the customer")
	var rows []row
	for _, n := range all {
		again := ""
		if n.GetGeneration() > 0 {
			again = "sent again"
		}
		rows = append(rows, row{cells: []cell{
			{text: word(n.GetDelivery()), tone: noticeTone(n.GetDelivery())},
			{text: word(n.GetKind())},
			{text: n.GetMaskedAddress()},
			{text: join(", ", p.when(n.GetTime()), n.GetReason(), again)},
		}})
	}
	p.table("  ", rows)
}

// notes lists what people wrote for each other.
func (p *page) notes(all []*dialtonev1.Note) {
	if len(all) == 0 {
		return
	}
	p.title("Notes")
	for _, n := range all {
		p.linef("  %s", p.paint(join(", ", n.GetActor(), p.when(n.GetCreateTime())), dim))
		p.said("    ", n.GetText())
	}
}

// items lists what waits for an operator, and then what did.
func (p *page) items(w *dialtonev1.Workflow) {
	p.openItems(w)
	var rows []row
	for _, item := range w.GetItems() {
		if item.GetCloseTime() != nil {
			rows = append(rows, row{cells: cells(itemName(item), howClosed(item), p.when(item.GetCloseTime()))})
		}
	}
	if len(rows) > 0 {
		p.title("Settled")
		p.table("  ", rows)
	}
}

// openItems lists what waits for an operator, each with what can be decided about it.
func (p *page) openItems(w *dialtonev1.Workflow) {
	open := openItems(w.GetItems())
	if len(open) == 0 {
		return
	}
	p.title("Waiting for an operator")
	for _, item := range open {
		p.item(item)
		p.numbered("    ", choicesOf(w, item.GetItemId()))
	}
}

// openItems are those that still wait.
func openItems(all []*dialtonev1.Item) []*dialtonev1.Item {
	return slices.DeleteFunc(slices.Clone(all), func(i *dialtonev1.Item) bool { return i.GetCloseTime() != nil })
}

// choicesOf are the choices about an item; with no item, those that are about the whole.
func choicesOf(w *dialtonev1.Workflow, item string) []*dialtonev1.Choice {
	return slices.DeleteFunc(slices.Clone(w.GetChoices()), func(c *dialtonev1.Choice) bool { return c.GetItemId() != item })
}

// howClosed is "sent again by Ann Lee", or that no person closed it.
func howClosed(item *dialtonev1.Item) string {
	return join(" by ", resolvedWord(item.GetResolution()), item.GetActor())
}

func resolvedWord(r dialtonev1.Resolution) string {
	switch r {
	case dialtonev1.Resolution_RESOLUTION_UNSPECIFIED:
		return "closed by itself"
	case dialtonev1.Resolution_RESOLUTION_SEND_AGAIN:
		return "sent again"
	case dialtonev1.Resolution_RESOLUTION_GIVE_UP:
		return "given up"
	case dialtonev1.Resolution_RESOLUTION_GO_ON:
		return "told to go on"
	case dialtonev1.Resolution_RESOLUTION_END_AS_FAILED:
		return "ended as failed"
	case dialtonev1.Resolution_RESOLUTION_DISMISS:
		return "dismissed"
	default:
		return word(r)
	}
}

func (p *page) item(item *dialtonev1.Item) {
	p.linef("  %s  %s", p.paint(strings.ToUpper(word(item.GetSeverity())), severityTone(item.GetSeverity())), itemName(item))
	p.said("    ", item.GetMessage())
	p.linef("    %s", join("; ", "opened "+p.when(item.GetOpenTime()), p.itemDue(item)))
	p.linef("    %s", p.paint("item "+item.GetItemId(), dim))
}

func (p *page) itemDue(item *dialtonev1.Item) string {
	switch {
	case item.GetDeadline() == nil:
		return ""
	case p.overdue(item.GetDeadline()):
		return p.due(item.GetDeadline())
	}
	return "overdue " + p.due(item.GetDeadline())
}

// itemName is "STEP_STUCK at reserve_esim (PARTNER_UNREACHABLE)".
func itemName(item *dialtonev1.Item) string {
	name := join(" at ", item.GetKind(), item.GetStep())
	if item.GetReason() != "" {
		name += " (" + item.GetReason() + ")"
	}
	return name
}

// choices lists what may be done about the whole. What is about an item stands with it.
func (p *page) choices(w *dialtonev1.Workflow) {
	all := choicesOf(w, "")
	switch {
	case len(all) == 0:
		return
	case len(all) < len(w.GetChoices()):
		p.title("What else you can do")
	default:
		p.title("What you can do")
	}
	p.numbered("  ", all)
}

// numbered lists choices, each with its command line. That is never broken: it is there to be
// copied.
func (p *page) numbered(indent string, all []*dialtonev1.Choice) {
	for i, choice := range all {
		text := choice.GetText()
		if choice.GetIrreversible() {
			text += p.paint("  (cannot be taken back)", red)
		}
		p.linef("%s%d. %s", indent, i+1, text)
		if choice.GetCli() != "" {
			p.linef("%s   %s", indent, p.paint(choice.GetCli(), bold))
		}
	}
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%q", text)
}

func parenthesised(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}
