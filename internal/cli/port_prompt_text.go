package cli

import (
	"fmt"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// prompt is what the customer is asked: what to say first, what can be done last.
func (p *page) prompt(id string, response *dialtonev1.GetPortingPromptResponse) {
	prompt := response.GetPrompt()
	p.linef("%s", p.paint(capitals(asked(prompt)), promptTone(prompt.GetKind())))
	if prompt.GetMessage() != "" {
		p.linef("")
		p.said("", prompt.GetMessage())
	}
	if prompt.GetDonorHint() != "" {
		p.linef("")
		p.said("", prompt.GetDonorHint())
	}
	p.linef("")
	p.facts(
		fact{name: "Why", value: prompt.GetReason()},
		fact{name: "Until", value: p.due(prompt.GetDeadline())},
		fact{name: "Tries", value: triesLeft(prompt)},
		fact{name: "Question", value: revisionOf(prompt)},
		fact{name: "Activation", value: id},
	)
	p.promptFields(prompt.GetRequiredFields())
	p.known(prompt.GetKnown())
	p.customerView(response.GetView(), prompt.GetMessage())
	if acts := prompt.GetActs(); len(acts) > 0 {
		p.title("What the customer may do")
		p.numbered("  ", actLines(id, prompt))
	}
}

// asked is a question in a few words.
func asked(prompt *dialtonev1.PortingPrompt) string {
	switch prompt.GetKind() {
	case dialtonev1.PromptKind_PROMPT_KIND_UNSPECIFIED, dialtonev1.PromptKind_PROMPT_KIND_NONE:
		return "nothing"
	case dialtonev1.PromptKind_PROMPT_KIND_PROVIDE_INFO:
		return "give the details of the account at the old provider"
	case dialtonev1.PromptKind_PROMPT_KIND_CORRECT_INFO:
		return "correct what the old provider refused"
	case dialtonev1.PromptKind_PROMPT_KIND_CORRECT_DEVICE:
		return "name another phone"
	case dialtonev1.PromptKind_PROMPT_KIND_ACT_AT_DONOR:
		return join(": ", "do something at the old provider", donorAction(prompt.GetDonorAction()))
	case dialtonev1.PromptKind_PROMPT_KIND_DECIDE:
		return "decide, since this number cannot come"
	default:
		return word(prompt.GetKind())
	}
}

// capitals begins the page with what is asked.
func capitals(what string) string {
	if what == "nothing" {
		return "NOTHING IS ASKED"
	}
	return "ASKED TO  " + what
}

// donorAction is what is to be done there, as an order.
func donorAction(action dialtonev1.DonorAction) string {
	switch action {
	case dialtonev1.DonorAction_DONOR_ACTION_LOCK_TAKEN_OFF:
		return "take the port lock off the number"
	case dialtonev1.DonorAction_DONOR_ACTION_LINE_REACTIVATED:
		return "have the old line reactivated"
	case dialtonev1.DonorAction_DONOR_ACTION_TRANSFER_APPROVED:
		return "approve the transfer"
	default:
		return word(action)
	}
}

func triesLeft(prompt *dialtonev1.PortingPrompt) string {
	if prompt.GetAttemptsLeft() == 0 {
		return ""
	}
	return fmt.Sprintf("%d left before staff take over", prompt.GetAttemptsLeft())
}

func revisionOf(prompt *dialtonev1.PortingPrompt) string {
	if prompt.GetRevision() == 0 || prompt.GetKind() == dialtonev1.PromptKind_PROMPT_KIND_NONE {
		return ""
	}
	return fmt.Sprintf("revision %d", prompt.GetRevision())
}

// promptFields lists what is to be given, with the names that port submit reads.
func (p *page) promptFields(fields []*dialtonev1.PortingField) {
	if len(fields) == 0 {
		return
	}
	p.title("To be given, in this order")
	var rows []row
	for _, field := range fields {
		state := cell{text: "needed", tone: yellow}
		switch {
		case field.GetRefused():
			state = cell{text: "refused", tone: red}
		case field.GetHeld():
			state = cell{text: "held", tone: dim}
		case !needed(field):
			state.text = "if known"
		}
		r := row{cells: []cell{state, {text: field.GetLabel()}, {text: heldValue(field)}, {text: detailName(field.GetField()), tone: dim}}}
		if field.GetHint() != "" {
			r.notes = []string{field.GetHint()}
		}
		rows = append(rows, r)
	}
	p.table("  ", rows)
}

// heldValue is as much as may be seen of what is held.
func heldValue(field *dialtonev1.PortingField) string {
	switch {
	case !field.GetHeld():
		return ""
	case field.GetMaskedValue() == "":
		return "(not shown)"
	}
	return field.GetMaskedValue()
}

// known lists what the customer only confirms.
func (p *page) known(all []*dialtonev1.KnownValue) {
	if len(all) == 0 {
		return
	}
	p.title("Known already, to be confirmed")
	var facts []fact
	for _, value := range all {
		facts = append(facts, fact{name: value.GetLabel(), value: value.GetMaskedValue()})
	}
	p.indented(facts...)
}

// customerView is what the portal shows beside the question. What was said is not said again.
func (p *page) customerView(view *dialtonev1.CustomerView, said string) {
	if view == nil {
		return
	}
	message := view.GetMessage()
	if message == said {
		message = ""
	}
	p.title("Where it is, as the customer may know it")
	code, oldSIM := "", ""
	if view.GetInstallCodeReady() {
		code = "can be had in the portal"
	}
	if view.GetKeepOldSim() {
		oldSIM = "stays in the phone until the number has moved"
	}
	p.indented(
		fact{name: "State", value: join(": ", word(view.GetState()), message), tone: stateTone(view.GetState())},
		fact{name: "Number", value: view.GetPhoneNumber()},
		fact{name: "Port", value: word(view.GetPortState()), tone: portTone(view.GetPortState())},
		fact{name: "Moves", value: p.when(view.GetDueTime())},
		fact{name: "eSIM code", value: code},
		fact{name: "On the phone", value: word(view.GetInstallState())},
		fact{name: "Old SIM", value: oldSIM},
		fact{name: "Support", value: join(", ", view.GetProviderName(), view.GetSupportPhone(), view.GetSupportHours())},
	)
}

// actLines are the customer's acts with their command lines, each about the question read.
func actLines(id string, prompt *dialtonev1.PortingPrompt) []*dialtonev1.Choice {
	revision := ""
	if prompt.GetRevision() != 0 {
		revision = fmt.Sprintf("--revision %d", prompt.GetRevision())
	}
	var all []*dialtonev1.Choice
	for _, act := range prompt.GetActs() {
		l := lineOf(act)
		choice := &dialtonev1.Choice{Text: l.text, Irreversible: l.irreversible}
		if l.command != "" {
			choice.Cli = join(" ", "dialtone port", l.command, id, l.flags, revision)
		}
		all = append(all, choice)
	}
	return all
}

// actLine is an act in words, and the command that is for it, where there is one.
type actLine struct {
	text           string
	command, flags string
	irreversible   bool
}

func lineOf(act dialtonev1.PortalAct) actLine {
	switch act {
	case dialtonev1.PortalAct_PORTAL_ACT_SUBMIT_PORTING_INFO:
		return actLine{text: "Give the details, or correct them", command: "submit"}
	case dialtonev1.PortalAct_PORTAL_ACT_CONFIRM_DONOR_ACTION:
		return actLine{text: "Say that it was done at the old provider", command: "confirm-donor-action"}
	case dialtonev1.PortalAct_PORTAL_ACT_CHANGE_NUMBER:
		return actLine{text: "Bring another number, or from another provider", command: "change-number", flags: "--number NUMBER --donor DONOR"}
	case dialtonev1.PortalAct_PORTAL_ACT_CHANGE_DEVICE:
		return actLine{text: "Name another phone", command: "change-device", flags: "--imei IMEI"}
	case dialtonev1.PortalAct_PORTAL_ACT_KEEP_NEW_NUMBER:
		return actLine{text: "Go on with a new number, and leave the old one where it is", command: "keep-new-number", irreversible: true}
	case dialtonev1.PortalAct_PORTAL_ACT_STOP_PORT:
		return actLine{text: "Stop all of it: the old line stays as it is", command: "stop", irreversible: true}
	case dialtonev1.PortalAct_PORTAL_ACT_GET_INSTALL_CODE:
		return actLine{text: "See the eSIM's code, in the portal"}
	case dialtonev1.PortalAct_PORTAL_ACT_REPORT_INSTALLATION:
		return actLine{text: "Say in the portal whether it works"}
	default:
		return actLine{text: word(act)}
	}
}
