package mail

import (
	"cmp"
	"slices"

	"github.com/dialtone/dialtone/internal/mobile"
)

// words is what a notice says. Both parts are drawn from it, so that they say the same.
type words struct {
	// Preview is the line that an inbox shows beside the subject.
	Preview string
	Heading string
	// About stands under the heading: the number, or that it is a new line.
	About  string
	Blocks []block
}

// block is a stretch of a notice. Any of its parts may be empty; they stand in this order.
type block struct {
	Title  string
	Says   []line
	Items  []line
	Button string // leads to PortalLink, which stands under it in full
}

// line is a sentence or a few, the first of them strong.
type line struct{ Strong, Text string }

// say is a block of one paragraph.
func say(text string) block { return block{Says: []line{{Text: text}}} }

// words are chosen by the kind. PORTAL_LINK tells nothing but the link: whoever asked for it
// may be anybody.
func (n notice) words(kind mobile.NoticeKind) words {
	var w words
	switch kind {
	case mobile.NoticeDetailsNeeded:
		w = n.detailsNeeded()
	case mobile.NoticeActionRequired:
		w = n.actionRequired()
	case mobile.NoticeReminder:
		w = n.reminder()
	case mobile.NoticeDidNotWorkOut:
		w = n.didNotWorkOut()
	case mobile.NoticePortalLink:
		w = n.portalLink()
	case mobile.NoticeNumberMoved:
		w = n.numberMoved()
	case mobile.NoticeActivation: // refused before
	}
	w.About = cmp.Or(n.number, "Your new line")
	w.Blocks = slices.DeleteFunc(w.Blocks, func(b block) bool {
		return len(b.Says) == 0 && len(b.Items) == 0 && b.Button == ""
	})
	return w
}

func (n notice) detailsNeeded() words {
	return words{
		Preview: "Please enter them by " + n.until + ". Do not cancel your old line.",
		Heading: "We need a few details to bring your number",
		Blocks: []block{
			say("To bring your number to " + n.TenantName + ", we need a few details of your account with " + n.donor +
				". Please have them at hand: " + n.donor + " lets the number go only if they match."),
			n.willAsk(), n.goodToKnow(),
			n.button("Enter the details"), n.onYourPage(), n.inTime(), n.oldLine(),
		},
	}
}

func (n notice) actionRequired() words {
	return words{
		Preview: "Please do this by " + n.until + ".",
		Heading: "We need your help to go on",
		Blocks: []block{
			say(n.task() + " and cannot go on without you."),
			{Title: "What to do", Says: []line{{Text: n.message}}},
			n.willAsk(), n.goodToKnow(),
			n.button("Continue on your page"), n.onYourPage(), n.attempts(), n.inTime(), n.oldLine(),
		},
	}
}

func (n notice) reminder() words {
	w := n.actionRequired()
	if n.message == "" {
		w = n.detailsNeeded()
	}
	w.Preview = "There is time until " + n.until + "."
	w.Heading = "Your activation is waiting for you"
	w.Blocks = slices.Insert(w.Blocks, 0,
		say("This is a friendly reminder. If you have done this just now, thank you: there is nothing more to do."))
	return w
}

func (n notice) didNotWorkOut() words {
	again := block{Title: "If you want to try again", Says: []line{{Text: "Call us, and we begin again with you. What happened so far stands on your page."}}}
	if n.number == "" {
		return words{
			Preview: "What to do to try again.",
			Heading: "Your line has not been activated",
			Blocks: []block{
				say("We have stopped activating your line with " + n.TenantName + "."),
				n.because(), again, n.button("See what happened"),
			},
		}
	}
	return words{
		Preview: "Your old line still works.",
		Heading: "Your number has not moved",
		Blocks: []block{
			say("We have stopped bringing your number from " + n.donor + " to " + n.TenantName + "."),
			n.because(),
			{Title: "What this means for you", Items: []line{
				{"Your old line still works.", "The number stays with " + n.donor + ", and you need do nothing to keep it."},
				{"Nothing was charged by the move.", "If you have a question about a bill, call us."},
				{"If you installed our eSIM for this number,", "choose your old SIM in the phone again for calls, messages and mobile data."},
			}},
			again, n.button("See what happened"),
		},
	}
}

func (n notice) portalLink() words {
	return words{
		Preview: "The old one has lapsed.",
		Heading: "Your new link",
		Blocks: []block{
			say("Your link to your activation with " + n.TenantName + " has lapsed. Here is a new one."),
			n.button("Open your page"),
			{Says: []line{{"If you did not ask for it, ignore this mail.", "Nothing changes, and the link has gone to nobody but you."}}},
		},
	}
}

func (n notice) numberMoved() words {
	return words{
		Preview: "Please call us, so that we can settle with you how to go on.",
		Heading: "Your number has moved",
		Blocks: []block{
			say("A stop had been asked for, but the move was under way already and could not be held any more. Your number has moved from " +
				n.donor + " to " + n.TenantName + "."),
			{Title: "What this means for you", Items: []line{
				{"Your number is with " + n.TenantName + " now.", "Your old SIM does not ring for it any more."},
				{"Calls and messages come to our eSIM.", "Its QR code is in the mail “" + ActivationSubject + "”, which has come already or comes soon. If the eSIM is on your phone, do not delete it."},
				{"Please call us.", "Whether the number is to stay here or to go elsewhere, we settle it with you."},
			}},
			n.button("See your activation"),
		},
	}
}

// task begins the sentence on what is going on.
func (n notice) task() string {
	if n.number == "" {
		return "We are activating your line with " + n.TenantName
	}
	return "We are bringing your number from " + n.donor + " to " + n.TenantName
}

func (n notice) because() block {
	if n.message == "" {
		return block{}
	}
	return say(n.message)
}

func (n notice) willAsk() block {
	b := block{}
	for _, label := range n.ask {
		b.Title = "What we will ask"
		b.Items = append(b.Items, line{Text: label})
	}
	return b
}

func (n notice) goodToKnow() block {
	if n.hint == "" {
		return block{}
	}
	return block{Title: "Good to know about " + n.donor, Says: []line{{Text: n.hint}}}
}

func (n notice) button(label string) block { return block{Button: label} }

// onYourPage warns in every mail that asks for details: customers answer mails.
func (n notice) onYourPage() block {
	if len(n.ask) == 0 {
		return block{}
	}
	return block{Says: []line{{"Never send a PIN or an account number by mail,", "not even in a reply to this one. Enter them on your page only."}}}
}

func (n notice) attempts() block {
	const after = "After that our staff go on with you."
	switch n.attemptsLeft {
	case 1:
		return block{Says: []line{{"You can try one more time.", after}}}
	case 2:
		return block{Says: []line{{"You can try two more times.", after}}}
	}
	return block{}
}

func (n notice) inTime() block {
	otherwise := "Otherwise we stop then, and your line is not activated."
	if n.number != "" {
		otherwise = "Otherwise we stop then, and your number stays with " + n.donor + "."
	}
	return block{Says: []line{{"Please do this by " + n.until + ".", otherwise}}}
}

func (n notice) oldLine() block {
	if n.number == "" {
		return block{}
	}
	return block{Title: "Until your number has moved", Says: []line{{
		"Keep your old line in service, and do not cancel it.",
		"Cancelling it loses the number. The line ends by itself when the number has moved.",
	}}}
}
