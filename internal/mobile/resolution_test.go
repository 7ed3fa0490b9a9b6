package mobile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
)

// questions are all that could be asked: each kind of item about each act, and about none, in
// each phase.
func questions() (all []mobile.Question) {
	for _, kind := range mobile.ItemKinds() {
		for _, act := range append(mobile.Acts(), "") {
			for _, phase := range mobile.Phases() {
				all = append(all, mobile.Question{Kind: kind, Act: act, Phase: phase})
			}
		}
	}
	return all
}

func name(q mobile.Question) string {
	act := q.Act
	if act == "" {
		act = "-"
	}
	return fmt.Sprintf("%s %s, %s", q.Kind, act, q.Phase)
}

func words(all []mobile.Resolution) string {
	var list []string
	for _, r := range all {
		list = append(list, r.Word())
	}
	return strings.Join(list, " ")
}

// What may be decided, written out; about all else nothing.
func TestOffers(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"OUTCOME_UNKNOWN order_profile, coming up": "done send-again give-up",
		"OUTCOME_UNKNOWN order_profile, undoing":   "done give-up",
		"OUTCOME_UNKNOWN order_profile, replacing": "done send-again give-up",
		"OUTCOME_UNKNOWN send_mail, live":          "done send-again",
		"OUTCOME_UNKNOWN send_mail, replacing":     "done send-again",
		"OUTCOME_UNKNOWN send_mail, resending":     "done send-again give-up",

		"STEP_REFUSED -, live":                    "go-on",
		"STEP_REFUSED -, undoing":                 "go-on end-as-failed",
		"STEP_REFUSED -, replacing":               "go-on",
		"STEP_REFUSED order_profile, undoing":     "go-on end-as-failed",
		"STEP_REFUSED order_profile, coming up":   "send-again give-up",
		"STEP_REFUSED order_profile, replacing":   "send-again give-up",
		"STEP_REFUSED confirm_profile, coming up": "send-again give-up",
		"STEP_REFUSED confirm_profile, replacing": "send-again give-up",
		"STEP_REFUSED change_sim, replacing":      "send-again give-up",
		"STEP_REFUSED send_mail, live":            "send-again done",
		"STEP_REFUSED send_mail, replacing":       "send-again done",
		"STEP_REFUSED send_mail, resending":       "send-again done give-up",
		"STEP_REFUSED -, resending":               "go-on",
		"STEP_REFUSED retire_profile, replacing":  "done send-again",
		"STEP_REFUSED cancel_profile, undoing":    "done send-again end-as-failed",
		"STEP_REFUSED cancel_profile, replacing":  "done send-again",
		"STEP_REFUSED deactivate_line, undoing":   "done send-again end-as-failed",

		"STEP_STUCK -, coming up":               "give-up",
		"STEP_STUCK -, undoing":                 "end-as-failed",
		"STEP_STUCK order_profile, coming up":   "give-up",
		"STEP_STUCK order_profile, undoing":     "end-as-failed",
		"STEP_STUCK order_profile, replacing":   "give-up",
		"STEP_STUCK confirm_profile, coming up": "give-up",
		"STEP_STUCK confirm_profile, replacing": "give-up",
		"STEP_STUCK activate_line, coming up":   "give-up",
		"STEP_STUCK cancel_profile, undoing":    "done end-as-failed",
		"STEP_STUCK cancel_profile, replacing":  "done",
		"STEP_STUCK retire_profile, replacing":  "done",
		"STEP_STUCK send_mail, resending":       "give-up",
		"STEP_STUCK deactivate_line, undoing":   "done end-as-failed",

		"OUTCOME_UNKNOWN send_mail, coming up":    "done send-again",
		"STEP_REFUSED send_mail, coming up":       "send-again done",
		"STEP_REFUSED -, coming up":               "go-on give-up",
		"STEP_REFUSED submit_port, coming up":     "send-again give-up",
		"STEP_REFUSED supplement_port, coming up": "send-again give-up",
		"STEP_REFUSED reschedule_port, coming up": "send-again give-up",
		"STEP_REFUSED cancel_port, undoing":       "done send-again end-as-failed",
		"STEP_STUCK submit_port, coming up":       "give-up",
		"STEP_STUCK supplement_port, coming up":   "give-up",
		"STEP_STUCK reschedule_port, coming up":   "give-up",
		"STEP_STUCK cancel_port, undoing":         "done end-as-failed",
		"CARRIER_SILENT -, coming up":             "give-up",
		"CARRIER_SILENT -, undoing":               "done end-as-failed",
		"PORT_REFUSED -, coming up":               "send-again go-on give-up",
		"TOO_MANY_REFUSALS -, coming up":          "go-on send-again give-up",

		"RUN_LOST -, coming up": "go-on give-up",
		"RUN_LOST -, live":      "go-on",
		"RUN_LOST -, undoing":   "give-up",
		"RUN_LOST -, replacing": "go-on",
		"RUN_LOST -, resending": "go-on",
	}
	// They hold nothing up, whatever they are about.
	for _, q := range questions() {
		switch q.Kind {
		case mobile.ItemNumberAtRisk, mobile.ItemMailNotDelivered, mobile.ItemInstallFailed, mobile.ItemOddEvent,
			mobile.ItemDoesNotWork:
			want[name(q)] = "dismiss"
		case mobile.ItemStepStuck, mobile.ItemOutcomeUnknown, mobile.ItemStepRefused, mobile.ItemRunLost,
			mobile.ItemCarrierSilent, mobile.ItemTooManyRefusals, mobile.ItemPortRefused:
		}
	}

	got := make(map[string]string)
	for _, q := range questions() {
		if offers := q.Offers(); len(offers) > 0 {
			got[name(q)] = words(offers)
		}
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Nothing that an operator may decide takes a live line down.
func TestOffers_NothingTakesALiveLineDown(t *testing.T) {
	t.Parallel()
	for _, q := range questions() {
		for _, r := range q.Offers() {
			line := q.Phase == mobile.PhaseLive || q.Phase == mobile.PhaseReplacing && q.Act == mobile.ActSendMail
			if line && (r == mobile.ResolutionGiveUp || r == mobile.ResolutionEndAsFailed) {
				t.Errorf("%s: %s", name(q), r)
			}
		}
	}
}

// What stops a run until a person decides can be decided, wherever it can be asked.
func TestOffers_NothingWaitsForEver(t *testing.T) {
	t.Parallel()
	const (
		comingUp, live, undoing = mobile.PhaseComingUp, mobile.PhaseLive, mobile.PhaseUndoing
		replacing, resending    = mobile.PhaseReplacing, mobile.PhaseResending
	)
	asked := map[mobile.ItemKind]map[mobile.Act][]mobile.Phase{
		mobile.ItemOutcomeUnknown: {
			mobile.ActOrderProfile: {comingUp, undoing, replacing},
			mobile.ActSendMail:     {comingUp, live, replacing, resending},
		},
		mobile.ItemPortRefused:     {"": {comingUp}},
		mobile.ItemTooManyRefusals: {"": {comingUp}},
		mobile.ItemCarrierSilent:   {"": {comingUp, undoing}},
		mobile.ItemStepRefused: {
			mobile.ActSubmitPort:     {comingUp},
			mobile.ActSupplementPort: {comingUp},
			mobile.ActReschedulePort: {comingUp},
			mobile.ActCancelPort:     {undoing},
			mobile.ActOrderProfile:   {comingUp, undoing, replacing},
			mobile.ActConfirmProfile: {comingUp, replacing},
			mobile.ActChangeSIM:      {replacing},
			mobile.ActSendMail:       {comingUp, live, replacing, resending},
			mobile.ActCancelProfile:  {undoing, replacing},
			mobile.ActRetireProfile:  {replacing},
			mobile.ActDeactivateLine: {undoing},
			// Something of our own refused, so that no act outside was.
			"": {comingUp, live, undoing, replacing, resending},
		},
		mobile.ItemRunLost: {"": {comingUp, live, undoing, replacing, resending}},
	}
	for kind, acts := range asked {
		for act, phases := range acts {
			for _, phase := range phases {
				q := mobile.Question{Kind: kind, Act: act, Phase: phase}
				if len(q.Offers()) == 0 {
					t.Errorf("%s: nothing may be decided", name(q))
				}
			}
		}
	}
}

// What may yet happen by itself is never sent a second time.
func TestOffers_NothingIsSentTwiceThatGoesOnByItself(t *testing.T) {
	t.Parallel()
	blind := []mobile.Act{mobile.ActOrderProfile, mobile.ActSendMail}
	for _, q := range questions() {
		if !slices.Contains(q.Offers(), mobile.ResolutionSendAgain) {
			continue
		}
		switch q.Kind {
		case mobile.ItemStepRefused, mobile.ItemPortRefused, mobile.ItemTooManyRefusals: // it has not happened
		case mobile.ItemOutcomeUnknown:
			if !slices.Contains(blind, q.Act) || q.Phase == mobile.PhaseUndoing {
				t.Errorf("%s: it may be sent again", name(q))
			}
		case mobile.ItemStepStuck, mobile.ItemRunLost, mobile.ItemNumberAtRisk, mobile.ItemMailNotDelivered, mobile.ItemInstallFailed,
			mobile.ItemCarrierSilent, mobile.ItemOddEvent, mobile.ItemDoesNotWork:
			t.Errorf("%s: it may be sent again", name(q))
		}
	}
}

// What is offered cannot be changed by whoever reads it.
func TestOffers_AreACopy(t *testing.T) {
	t.Parallel()
	q := mobile.Question{Kind: mobile.ItemRunLost, Phase: mobile.PhaseComingUp}
	q.Offers()[0] = mobile.ResolutionEndAsFailed

	if got := words(q.Offers()); got != "go-on give-up" {
		t.Errorf("it offers %s now", got)
	}
}

// Every choice says in its own words what it does; a choice that acts outside says that it
// cannot be taken back.
func TestMeans(t *testing.T) {
	t.Parallel()
	for _, q := range questions() {
		texts := make(map[string]mobile.Resolution)
		for _, r := range q.Offers() {
			text := q.Means(r)
			if other, twice := texts[text]; twice || text == "" || text == string(r) {
				t.Errorf("%s: %s means %q, as does %q", name(q), r, text, other)
			}
			texts[text] = r
		}
	}
	for _, r := range mobile.Resolutions() {
		want := r != mobile.ResolutionDismiss && r != mobile.ResolutionGoOn
		if r.Irreversible() != want {
			t.Errorf("%s can be taken back: %t", r, want)
		}
	}
}

// Only what cannot be worked with unless it is named needs a name, and only where DONE is a
// choice.
func TestReference(t *testing.T) {
	t.Parallel()
	for _, q := range questions() {
		need := q.Kind == mobile.ItemOutcomeUnknown && q.Act == mobile.ActOrderProfile
		if q.NeedsReference() != need || q.TakesReference() != (need || q.Act == mobile.ActSendMail) {
			t.Errorf("%s: needs a reference %t, takes one %t", name(q), q.NeedsReference(), q.TakesReference())
		}
	}
}

// An item is about the act whose outcome is what it says, and about none once that is known.
func TestItem_About(t *testing.T) {
	t.Parallel()
	effect := func(act mobile.Act, settle mobile.Settle, verdict mobile.Verdict) mobile.Effect {
		return mobile.Effect{Act: act, Settle: settle, Verdict: verdict, Fence: 1}
	}
	lost := effect(mobile.ActOrderProfile, mobile.SettleBlind, mobile.VerdictUnknown)
	died := effect(mobile.ActOrderProfile, mobile.SettleBlind, "")
	ordered := effect(mobile.ActOrderProfile, mobile.SettleBlind, mobile.VerdictYes)
	refused := effect(mobile.ActConfirmProfile, mobile.SettleKeyed, mobile.VerdictRefused)
	busy := effect(mobile.ActConfirmProfile, mobile.SettleKeyed, mobile.VerdictNotNow)
	readable := effect(mobile.ActActivateLine, mobile.SettleReadable, mobile.VerdictUnknown)

	for name, c := range map[string]struct {
		kind    mobile.ItemKind
		effects []mobile.Effect
		want    mobile.Act
	}{
		"unknown":            {mobile.ItemOutcomeUnknown, []mobile.Effect{lost}, mobile.ActOrderProfile},
		"died":               {mobile.ItemOutcomeUnknown, []mobile.Effect{died}, mobile.ActOrderProfile},
		"known meanwhile":    {mobile.ItemOutcomeUnknown, []mobile.Effect{ordered}, ""},
		"can be looked up":   {mobile.ItemOutcomeUnknown, []mobile.Effect{readable}, ""},
		"refused":            {mobile.ItemStepRefused, []mobile.Effect{refused, ordered}, mobile.ActConfirmProfile},
		"refused by ourself": {mobile.ItemStepRefused, []mobile.Effect{ordered}, ""},
		"stuck":              {mobile.ItemStepStuck, []mobile.Effect{busy, ordered}, mobile.ActConfirmProfile},
		"stuck at nothing":   {mobile.ItemStepStuck, []mobile.Effect{ordered}, ""},
		"lost":               {mobile.ItemRunLost, []mobile.Effect{lost}, ""},
		"none":               {mobile.ItemOutcomeUnknown, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (mobile.Item{Kind: c.kind}).About(c.effects).Act; got != c.want {
				t.Errorf("it is about %q, want %q", got, c.want)
			}
		})
	}
}

// Which phase a question is asked in.
func TestItem_Question(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		item mobile.Item
		live bool
		want mobile.Phase
	}{
		{mobile.Item{}, false, mobile.PhaseComingUp},
		{mobile.Item{}, true, mobile.PhaseLive},
		{mobile.Item{Undoing: true}, false, mobile.PhaseUndoing},
		{mobile.Item{FollowUp: "f", Step: mobile.StepReplaceProfile}, true, mobile.PhaseReplacing},
		{mobile.Item{FollowUp: "f", Step: mobile.StepResendActivationEmail}, true, mobile.PhaseResending},
	} {
		c.item.Kind, c.item.Act = mobile.ItemStepRefused, mobile.ActSendMail
		if got := c.item.Question(c.live); got != (mobile.Question{Kind: mobile.ItemStepRefused, Act: mobile.ActSendMail, Phase: c.want}) {
			t.Errorf("%+v, live %t: %+v", c.item, c.live, got)
		}
	}
}
