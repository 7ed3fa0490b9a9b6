package mobile

import (
	"slices"
	"strings"
)

// Resolution is how an operator settles what waits for one.
type Resolution string

// The resolutions.
const (
	// ResolutionDone: it has happened, or was done outside by hand.
	ResolutionDone Resolution = "DONE"
	// ResolutionSendAgain: do it again, as a new generation; what the first may have left
	// behind is written off.
	ResolutionSendAgain Resolution = "SEND_AGAIN"
	// ResolutionGiveUp: give back what was taken, and end.
	ResolutionGiveUp Resolution = "GIVE_UP"
	// ResolutionGoOn: go on from where it is.
	ResolutionGoOn Resolution = "GO_ON"
	// ResolutionEndAsFailed: end at once, and leave outside whatever is there.
	ResolutionEndAsFailed Resolution = "END_AS_FAILED"
	// ResolutionDismiss: seen; nothing is to be done.
	ResolutionDismiss Resolution = "DISMISS"
)

// Resolutions lists every resolution, in the order of the constants.
func Resolutions() []Resolution {
	return []Resolution{
		ResolutionDone, ResolutionSendAgain, ResolutionGiveUp, ResolutionGoOn, ResolutionEndAsFailed, ResolutionDismiss,
	}
}

// Word is what a command line calls it: "send-again".
func (r Resolution) Word() string { return strings.ReplaceAll(strings.ToLower(string(r)), "_", "-") }

// Phase is how far its activation had come when an operator was asked: what may be decided
// depends on whether there is a line that somebody telephones with.
type Phase string

// The phases.
const (
	// PhaseComingUp: no read has shown the line live.
	PhaseComingUp Phase = "coming up"
	// PhaseLive: the line is live; nothing is given back any more.
	PhaseLive Phase = "live"
	// PhaseUndoing: what was taken is being given back.
	PhaseUndoing Phase = "undoing"
	// PhaseReplacing: another eSIM is put on the live line, beside the activation's own run.
	PhaseReplacing Phase = "replacing"
	// PhaseResending: a mail is sent again, beside the activation's own run.
	PhaseResending Phase = "resending"
)

// Phases lists every phase.
func Phases() []Phase {
	return []Phase{PhaseComingUp, PhaseLive, PhaseUndoing, PhaseReplacing, PhaseResending}
}

// Question is what an operator is asked: the kind of item says what is known of the act (not
// known whether it happened, refused, does not get through).
type Question struct {
	Kind ItemKind
	// Act is the act outside that it is about; empty when it is about none.
	Act   Act
	Phase Phase
}

// offers says what may be decided, likeliest first. What is not here is refused: a resolution
// is offered only where it can do nothing twice outside and takes no live line down.
var offers = map[Question][]Resolution{
	// Nobody but the SM-DP+'s owner knows whether a profile was allotted.
	{ItemOutcomeUnknown, ActOrderProfile, PhaseComingUp}:  {ResolutionDone, ResolutionSendAgain, ResolutionGiveUp},
	{ItemOutcomeUnknown, ActOrderProfile, PhaseReplacing}: {ResolutionDone, ResolutionSendAgain, ResolutionGiveUp},
	{ItemOutcomeUnknown, ActOrderProfile, PhaseUndoing}:   {ResolutionDone, ResolutionGiveUp},
	// The customer may have the mail, and is asked, or gets a second one.
	{ItemOutcomeUnknown, ActSendMail, PhaseLive}:      {ResolutionDone, ResolutionSendAgain},
	{ItemOutcomeUnknown, ActSendMail, PhaseComingUp}:  {ResolutionDone, ResolutionSendAgain}, // before a number moves
	{ItemOutcomeUnknown, ActSendMail, PhaseReplacing}: {ResolutionDone, ResolutionSendAgain},
	{ItemOutcomeUnknown, ActSendMail, PhaseResending}: {ResolutionDone, ResolutionSendAgain, ResolutionGiveUp},

	// Refused: it has not happened, so that it may be sent again once the cause is mended.
	{ItemStepRefused, ActOrderProfile, PhaseComingUp}:    {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepRefused, ActOrderProfile, PhaseReplacing}:   {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepRefused, ActConfirmProfile, PhaseComingUp}:  {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepRefused, ActConfirmProfile, PhaseReplacing}: {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepRefused, ActChangeSIM, PhaseReplacing}:      {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepRefused, ActSendMail, PhaseLive}:            {ResolutionSendAgain, ResolutionDone},
	{ItemStepRefused, ActSendMail, PhaseComingUp}:        {ResolutionSendAgain, ResolutionDone},
	{ItemStepRefused, ActSendMail, PhaseReplacing}:       {ResolutionSendAgain, ResolutionDone},
	{ItemStepRefused, ActSendMail, PhaseResending}:       {ResolutionSendAgain, ResolutionDone, ResolutionGiveUp},
	{ItemStepStuck, ActSendMail, PhaseResending}:         {ResolutionGiveUp},
	{ItemStepRefused, "", PhaseResending}:                {ResolutionGoOn},
	{ItemRunLost, "", PhaseResending}:                    {ResolutionGoOn},
	{ItemStepRefused, ActRetireProfile, PhaseReplacing}:  {ResolutionDone, ResolutionSendAgain},
	{ItemStepStuck, ActRetireProfile, PhaseReplacing}:    {ResolutionDone},
	{ItemStepRefused, "", PhaseLive}:                     {ResolutionGoOn},
	{ItemStepRefused, "", PhaseReplacing}:                {ResolutionGoOn},
	// Refused to be taken back: it stays outside until somebody has it taken back there.
	{ItemStepRefused, ActCancelProfile, PhaseUndoing}:   {ResolutionDone, ResolutionSendAgain, ResolutionEndAsFailed},
	{ItemStepRefused, ActDeactivateLine, PhaseUndoing}:  {ResolutionDone, ResolutionSendAgain, ResolutionEndAsFailed},
	{ItemStepRefused, ActCancelProfile, PhaseReplacing}: {ResolutionDone, ResolutionSendAgain},
	// Something else refused while it is given back: it is tried again once that is mended.
	{ItemStepRefused, "", PhaseUndoing}:              {ResolutionGoOn, ResolutionEndAsFailed},
	{ItemStepRefused, ActOrderProfile, PhaseUndoing}: {ResolutionGoOn, ResolutionEndAsFailed},

	// Not through yet, and still being tried: what is not yet on the line can be given up, and
	// what is to be given back can be done by hand.
	{ItemStepStuck, "", PhaseComingUp}:                 {ResolutionGiveUp},
	{ItemStepStuck, ActOrderProfile, PhaseComingUp}:    {ResolutionGiveUp},
	{ItemStepStuck, ActConfirmProfile, PhaseComingUp}:  {ResolutionGiveUp},
	{ItemStepStuck, ActActivateLine, PhaseComingUp}:    {ResolutionGiveUp},
	{ItemStepStuck, ActOrderProfile, PhaseReplacing}:   {ResolutionGiveUp},
	{ItemStepStuck, ActConfirmProfile, PhaseReplacing}: {ResolutionGiveUp},
	{ItemStepStuck, ActCancelProfile, PhaseUndoing}:    {ResolutionDone, ResolutionEndAsFailed},
	{ItemStepStuck, ActDeactivateLine, PhaseUndoing}:   {ResolutionDone, ResolutionEndAsFailed},
	{ItemStepStuck, ActCancelProfile, PhaseReplacing}:  {ResolutionDone},
	{ItemStepStuck, ActOrderProfile, PhaseUndoing}:     {ResolutionEndAsFailed},
	{ItemStepStuck, "", PhaseUndoing}:                  {ResolutionEndAsFailed},

	// The carrier does not answer, and is asked on.
	{ItemCarrierSilent, "", PhaseComingUp}: {ResolutionGiveUp},
	{ItemCarrierSilent, "", PhaseUndoing}:  {ResolutionDone, ResolutionEndAsFailed},
	// Refused for a reason that is not the customer's to mend, or too often: the same details
	// go out again once that is mended, or the customer is asked once more.
	{ItemPortRefused, "", PhaseComingUp}:     {ResolutionSendAgain, ResolutionGoOn, ResolutionGiveUp},
	{ItemTooManyRefusals, "", PhaseComingUp}: {ResolutionGoOn, ResolutionSendAgain, ResolutionGiveUp},
	// The calls of a port are keyed: what does not get through goes on being tried.
	{ItemStepStuck, ActSubmitPort, PhaseComingUp}:       {ResolutionGiveUp},
	{ItemStepStuck, ActSupplementPort, PhaseComingUp}:   {ResolutionGiveUp},
	{ItemStepStuck, ActReschedulePort, PhaseComingUp}:   {ResolutionGiveUp},
	{ItemStepRefused, "", PhaseComingUp}:                {ResolutionGoOn, ResolutionGiveUp},
	{ItemStepRefused, ActSubmitPort, PhaseComingUp}:     {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepRefused, ActSupplementPort, PhaseComingUp}: {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepRefused, ActReschedulePort, PhaseComingUp}: {ResolutionSendAgain, ResolutionGiveUp},
	{ItemStepStuck, ActCancelPort, PhaseUndoing}:        {ResolutionDone, ResolutionEndAsFailed},
	{ItemStepRefused, ActCancelPort, PhaseUndoing}:      {ResolutionDone, ResolutionSendAgain, ResolutionEndAsFailed},

	{ItemRunLost, "", PhaseComingUp}:  {ResolutionGoOn, ResolutionGiveUp},
	{ItemRunLost, "", PhaseLive}:      {ResolutionGoOn},
	{ItemRunLost, "", PhaseUndoing}:   {ResolutionGiveUp},
	{ItemRunLost, "", PhaseReplacing}: {ResolutionGoOn},
}

// Offers is what an operator may decide, likeliest first; nothing when only commands apply.
func (q Question) Offers() []Resolution {
	switch q.Kind {
	case ItemNumberAtRisk, ItemMailNotDelivered, ItemInstallFailed, ItemOddEvent, ItemDoesNotWork:
		// They hold nothing up: somebody must know, and act by other means.
		return []Resolution{ResolutionDismiss}
	case ItemStepStuck, ItemOutcomeUnknown, ItemStepRefused, ItemRunLost, ItemCarrierSilent, ItemTooManyRefusals,
		ItemPortRefused:
	}
	return slices.Clone(offers[q])
}

// NeedsReference tells whether DONE must name what the partner calls it: without the ICCID
// nothing can be done with a profile. A mail's id is only good for looking it up.
func (q Question) NeedsReference() bool {
	return q.Kind == ItemOutcomeUnknown && q.Act == ActOrderProfile
}

// TakesReference tells whether DONE may name what the partner calls it.
func (q Question) TakesReference() bool { return q.NeedsReference() || q.Act == ActSendMail }

// Irreversible tells whether a resolution acts outside or cannot be taken back.
func (r Resolution) Irreversible() bool { return r != ResolutionDismiss && r != ResolutionGoOn }

// Means says in words what a resolution of the question does.
func (q Question) Means(r Resolution) string {
	switch r {
	case ResolutionDone:
		return q.doneMeans()
	case ResolutionSendAgain:
		return q.againMeans()
	case ResolutionGiveUp:
		if q.Kind == ItemOutcomeUnknown && q.Act == ActOrderProfile {
			return "Give up: the order is written off as LEAKED, and all else is given back"
		}
		return "Give up: what was taken is given back"
	case ResolutionGoOn:
		if q.Kind == ItemPortRefused || q.Kind == ItemTooManyRefusals {
			return "Ask the customer once more for the details"
		}
		return "Go on from where it is; what is done is not done again"
	case ResolutionEndAsFailed:
		return "End it now as failed, and leave outside whatever is there"
	case ResolutionDismiss:
		return "Seen: close it, and nothing else"
	}
	return string(r)
}

func (q Question) doneMeans() string {
	switch q.Act {
	case ActOrderProfile:
		return "The SM-DP+ has allotted an eSIM: go on with this ICCID"
	case ActSendMail:
		return "The customer has the e-mail: go on"
	case ActCancelProfile, ActRetireProfile:
		return "The eSIM was given back by hand: go on"
	case ActDeactivateLine:
		return "The line was taken down by hand: go on"
	case ActCancelPort:
		return "The carrier has cancelled the port: go on"
	case ActConfirmProfile, ActActivateLine, ActChangeSIM, ActSendNotice, ActSubmitPort, ActSupplementPort,
		ActReschedulePort:
	}
	if q.Kind == ItemCarrierSilent {
		return "The carrier says that the port is cancelled: go on"
	}
	return "It has happened: go on"
}

func (q Question) againMeans() string {
	switch {
	case q.Kind == ItemPortRefused || q.Kind == ItemTooManyRefusals:
		return "Send the same details to the donor again"
	case q.Act == ActOrderProfile && q.Kind == ItemOutcomeUnknown:
		return "Order another eSIM; the one that may have been allotted is written off as LEAKED"
	case q.Act == ActOrderProfile:
		return "Order the next eSIM; the refused one is retired"
	case q.Act == ActSendMail && q.Kind == ItemOutcomeUnknown:
		return "Send the e-mail again; the customer may get it twice"
	case q.Act == ActSendMail:
		return "Send the e-mail again, to the address on file now"
	}
	return "Send it again"
}
