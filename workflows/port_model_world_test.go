package workflows_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// The times of a port's program, from its first run on.
const (
	// settlesAfter the last move all heals.
	settlesAfter = time.Hour
	// tiredAfter is how long after that the customer gives it up, weariedAfter the operator what
	// does not get through.
	tiredAfter   = 10 * day
	weariedAfter = 12 * day
	// portHorizon is how long after that everything must have ended.
	portHorizon = 30 * day
	// tickMost is the longest time between two looks at the world.
	tickMost = 12 * time.Hour
	// longestPort is what a run may take of real time.
	longestPort = 20 * time.Second
)

const portSecret = "a secret of sixteen bytes"

// portWorld is one program of a port being lived through.
type portWorld struct {
	*world

	plays    portProgram
	verifier *carrier.Verifier
	// moved counts the moves that were made; settles is when all heals, gap the time to the next
	// look.
	moved   int
	settles time.Time
	gap     time.Duration
	healed  bool
	// toldPort counts the entries of the carrier's journal that were told.
	toldPort int
	// given counts what the customer made up, last is what was said last.
	given int
	last  mobile.PortingInfo
	words []word
	// late tells that a number moved by hand although its port was cancelled at the carrier.
	lateMove bool
	changed  bool
	// over tells that nothing that the customer says counts any more.
	over  bool
	asked int64
	story []string
}

// word is something that was said or done and that counts, in order.
type word struct {
	what string
	// port is the one that it was said about, pin what an accepted submission had in it.
	port mobile.PortID
	pin  string
}

func newPortWorld(t *testing.T, p portProgram) *portWorld {
	t.Helper()
	w := &portWorld{
		world: &world{t: t, late: slices.Clone(p.Late), losses: slices.Clone(p.Losses), told: make(map[string]bool)},
		plays: p, gap: time.Minute,
	}
	w.program.Late = p.Late
	w.program.Losses = p.Losses
	w.began = time.Now()
	w.database = storetest.Make(t, storetest.Config{Now: w.clock})
	w.bundle = &bundle{db: w.database.DB}
	w.launchPort(t, "+121255501"+p.Story, order{imei: p.IMEI})
	w.openPartners()
	w.operator = operator{w: w.world, answers: slices.Clone(p.Answers)}
	var err error
	w.verifier, err = carrier.NewVerifier(portSecret)
	fatal(t, err)
	w.settles = w.began.Add(settlesAfter)
	for _, m := range p.Moves {
		w.settles = w.settles.Add(m.After)
	}
	return w
}

func (w *portWorld) openPartners() {
	answers, moves := time.Second, 5*time.Second
	if w.plays.Slow {
		answers, moves = 20*time.Minute, 6*time.Hour
	}
	w.carrier = pretend(w.t, "carrier", func(p partner) (http.Handler, func()) {
		server, err := carriertest.New(carriertest.Config{
			Journal: p.journal, Faults: p.faults, Now: w.clock, AnswersAfter: answers, MovesAfter: moves,
		})
		fatal(w.t, err)
		w.network = server
		return w.watched(server), server.Close
	})
	w.smdp = pretend(w.t, "smdp", func(p partner) (http.Handler, func()) {
		server, err := esimtest.New(esimtest.Config{Journal: p.journal, Faults: p.faults, SMDPAddress: smdpAddress})
		fatal(w.t, err)
		return w.watched(server), server.Close
	})
	w.sendgrid = pretend(w.t, "sendgrid", func(p partner) (http.Handler, func()) {
		server, err := mailtest.New(mailtest.Config{Journal: p.journal, Faults: p.faults})
		fatal(w.t, err)
		return w.watched(server), server.Close
	})
}

// tells keeps the story for a failure.
func (w *portWorld) tells(format string, args ...any) {
	w.story = append(w.story, w.clock().Sub(w.began).Round(time.Second).String()+" "+fmt.Sprintf(format, args...))
}

// play lives through the program, run after run.
func (w *portWorld) play() {
	start := w.began
	for {
		run := w.worker(start)
		ended := w.runs(run)
		run.worker.leave()
		for n := range w.arrivals {
			w.arrives(n)
		}
		start = run.env.Now().Add(time.Minute)
		if ended || !run.lost {
			break
		}
		w.tells("the run was lost")
		w.gap = time.Minute
		w.tenant(w.t, w.activation.Tenant, func(s *store.Store) error {
			return s.ClaimRun(w.ctx(), w.activation.ID, "", "a run that is lost")
		})
	}
	w.mend()
	w.afterwards()
}

// afterwards lets numbers move that were to move, and the carrier tell what it has left to tell.
func (w *portWorld) afterwards() {
	for _, m := range w.plays.Moves[w.moved:] {
		if m.Do == carriertest.HandComplete {
			w.turn(m)
		}
	}
	w.tellAll()
}

// runs lets a run run until it ends, is lost, or has outlived the horizon.
func (w *portWorld) runs(run *running) (ended bool) {
	w.plan(run)
	watch := time.AfterFunc(longestPort, func() {
		w.note("it goes round and round: %s of real time have passed", longestPort)
		run.env.RegisterDelayedCallback(func() { panic(stopped) }, 0)
	})
	defer watch.Stop()
	defer func() {
		if r := recover(); r != nil && r != any(stopped) {
			panic(r)
		}
	}()
	run.env.ExecuteWorkflow(string(w.activation.Type), workflows.ActivationInput{
		Tenant: w.activation.Tenant, Activation: w.activation.ID,
	})
	if err := run.env.GetWorkflowError(); err != nil {
		w.note("the run failed: %v", err)
	}
	return true
}

// plan has the world go on beside a run.
func (w *portWorld) plan(run *running) {
	at := w.began
	for i, m := range w.plays.Moves {
		at = at.Add(m.After)
		if i < w.moved {
			continue
		}
		run.env.RegisterDelayedCallback(func() { w.make(run, i) }, max(at.Sub(w.clock()), 0))
	}
	if len(w.losses) > 0 && w.losses[0].When.At > 0 {
		run.env.RegisterDelayedCallback(func() { w.lose(run) }, w.losses[0].When.At)
	}
	run.env.RegisterDelayedCallback(func() { w.tick(run) }, w.gap)
}

// tick lets the world go on for a while.
func (w *portWorld) tick(run *running) {
	if run.lost {
		return
	}
	now := w.clock()
	end := w.settles.Add(portHorizon)
	if w.plays.Settles == "silent" {
		end = end.Add(60 * day)
	}
	if now.After(end) {
		panic(stopped)
	}
	if err := w.network.Advance(0); err != nil {
		w.note("the carrier's clock: %v", err)
	}
	if !w.healed && !now.Before(w.settles) {
		w.healed, w.gap = true, time.Minute
		w.tells("all heals")
		w.mend()
	}
	if w.healed || w.plays.Events != "late" && w.plays.Events != "backwards" {
		w.tellAll()
	}
	w.carry()
	w.lookAtPrompt()
	if w.healed {
		w.settle()
	}
	w.decideOne()
	next := w.gap
	if before := w.settles.Sub(now); before > 0 {
		next = min(next, before)
	}
	w.gap = min(2*w.gap, tickMost)
	run.env.RegisterDelayedCallback(func() { w.tick(run) }, next)
}

// lookAtPrompt looks at what is asked, and whether it is waited for somebody.
func (w *portWorld) lookAtPrompt() {
	a := w.now(w.t)
	if p := a.Port.Prompt; p != nil && p.Revision > w.asked {
		w.asked = p.Revision
		w.words = append(w.words, word{what: "asked " + string(p.Kind) + " " + p.Reason})
		w.tells("asked %s %s", p.Kind, p.Reason)
	}
	if a.State == mobile.StateWaitingForOperator && len(a.OpenItems()) == 0 {
		w.note("it waits for an operator, and no item is open")
	}
}

// make makes a move.
func (w *portWorld) make(run *running, n int) {
	if run.lost || n < w.moved {
		return
	}
	w.moved = n + 1
	w.gap = time.Minute
	w.lookAtPrompt()
	m := w.plays.Moves[n]
	switch m.Do {
	case doGive, doSame, doIncomplete, doStale, doConfirm, doKeep, doStop, doNumber, doDevice:
		w.customer(m)
	case doFive:
		w.five()
	case doCancel:
		w.cancelNow(byTenant)
	case doCancelSub:
		w.cancelNow(byBilling)
	case doRule:
		if err := w.network.RefusePorts(carriertest.PortRule{Code: m.Code, Times: m.Times, AtOrder: m.AtOrder}); err != nil {
			w.note("a rule: %v", err)
		}
	case doFault:
		w.at(m.Fault.Match).breaks(w.t, *m.Fault)
	case doRepeat:
		w.toldPort = 0
		w.tellAll()
	case doForgeNum, doForgeSIM, doForgeLater:
		w.forge(m.Do)
	case doMend:
		w.mend()
	default:
		w.turn(m)
	}
	w.tells("%s %s %s", m.Do, m.Code, m.Story)
	w.carry()
}

// cancelNow files a cancel, and notes whether it was accepted.
func (w *portWorld) cancelNow(by canceller) {
	if w.cancelDone {
		return
	}
	w.program.Cancel.By = by
	w.cancelAs(by)
	if w.cancelled {
		w.words = append(w.words, word{what: "cancel"})
	}
	w.tells("the cancel: accepted %t", w.cancelled)
}

// details are what a customer gives who has everything at hand, and no two times the same.
func (w *portWorld) details() mobile.PortingInfo {
	w.given++
	info := given
	info.PIN, info.AccountNumber = fmt.Sprintf("7%06d", w.given), fmt.Sprintf("99%08d", w.given)
	info.AccountZIP = mobile.ZIP(fmt.Sprintf("9%04d", w.given))
	info.LastName, info.AddressLine = fmt.Sprintf("Lovelace %d", w.given), fmt.Sprintf("%d Main St", w.given)
	return info
}

// submission is what a move says.
func (w *portWorld) submission(m portMove, p mobile.Port) store.Submission {
	sub := store.Submission{Act: mobile.ActSubmitPortingInfo}
	switch m.Do {
	case doSame:
		sub.Said = w.last
	case doIncomplete:
		sub.Said = mobile.PortingInfo{PIN: w.details().PIN}
	case doConfirm:
		sub.Act, sub.Action = mobile.ActConfirmDonorAction, mobile.ActionLockTakenOff
		if p.Prompt != nil && p.Prompt.Action != "" {
			sub.Action = p.Prompt.Action
		}
	case doKeep:
		sub.Act = mobile.ActKeepNewNumber
	case doStop:
		sub.Act = mobile.ActStopPort
	case doNumber:
		sub.Act, sub.Number, sub.Donor = mobile.ActChangeNumber, "+131055501"+m.Story, "verizon"
	case doDevice:
		sub.Act, sub.IMEI = mobile.ActChangeDevice, "490154203237518"
	default:
		sub.Said = w.details()
	}
	if p.Prompt != nil {
		sub.Revision = p.Prompt.Revision
	}
	if m.Do == doStale {
		sub.Revision--
	}
	return sub
}

// customer says something on the prompt that is there.
func (w *portWorld) customer(m portMove) {
	p := *w.now(w.t).Port
	sub := w.submission(m, p)
	v, err := w.submits(sub)
	w.heardOf(p, sub, v, err)
}

// five says five things at once: at most one of them is accepted.
func (w *portWorld) five() {
	p := *w.now(w.t).Port
	var subs [5]store.Submission
	var verdicts [5]mobile.SubmissionVerdict
	var errs [5]error
	for i := range subs {
		subs[i] = w.submission(portMove{Do: doGive}, p)
	}
	subs[4] = subs[3]
	var all sync.WaitGroup
	for i := range subs {
		all.Go(func() { verdicts[i], errs[i] = w.submits(subs[i]) })
	}
	all.Wait()
	accepted := 0
	for i := range subs {
		if verdicts[i] == mobile.VerdictAccepted {
			accepted++
		}
		w.heardOf(p, subs[i], verdicts[i], errs[i])
	}
	if accepted > 1 {
		w.note("%d of five acts on one question were accepted", accepted)
	}
}

func (w *portWorld) submits(sub store.Submission) (v mobile.SubmissionVerdict, err error) {
	sub.ID, sub.Tenant, sub.Activation = uuid.NewString(), w.activation.Tenant, w.activation.ID
	sub.By = mobile.Doer{Principal: mobile.PrincipalPortal, RequestID: uuid.NewString()}
	err = w.db.InTenant(w.ctx(), sub.Tenant, func(s *store.Store) error {
		v, err = s.Submit(w.ctx(), sub)
		return err
	})
	return v, err
}

// heardOf keeps what came of an act.
func (w *portWorld) heardOf(p mobile.Port, sub store.Submission, v mobile.SubmissionVerdict, err error) {
	w.tells("the customer: %s on %d is %s %v", sub.Act, sub.Revision, v, err)
	switch {
	case err == nil:
	case errors.Is(err, store.ErrNotOffered), errors.Is(err, store.ErrNumberBeingPorted), fault.Of(err) != nil && fault.Of(err).Kind == fault.Invalid:
		return
	default:
		w.note("the customer's act: %v", err)
	}
	w.over = w.healed && v == mobile.VerdictTooLate
	if v != mobile.VerdictAccepted {
		return
	}
	w.gap = time.Minute
	heard := word{what: string(sub.Act), port: p.ID}
	if sub.Act == mobile.ActSubmitPortingInfo {
		heard.pin = sub.Said.PIN
		w.last = sub.Said
	}
	w.words = append(w.words, heard)
}

// orderAtCarrier is a port as the carrier's journal leaves it.
type orderAtCarrier struct {
	external, number, state string
	next                    bool
}

func (o orderAtCarrier) open() bool { return o.state != "COMPLETED" && o.state != "CANCELLED" }

// portOf reads what an entry of the carrier's journal says of a port.
func portOf(e partnertest.Entry) (o orderAtCarrier, ok bool) {
	facts, ok := e.Data["port"].(map[string]any)
	if !ok {
		return o, false
	}
	text := func(key string) string { s, _ := facts[key].(string); return s }
	_, next := facts["next"]
	return orderAtCarrier{external: text("external_id"), number: text("number"), state: text("state"), next: next}, true
}

// latest is the order that was given last; false when there is none.
func (w *portWorld) latest() (last orderAtCarrier, any bool) {
	for _, e := range w.carrier.journal.Entries() {
		if o, ok := portOf(e); ok {
			if e.Act == carriertest.ActSubmitPort || o.external == last.external {
				last, any = o, true
			}
		}
	}
	return last, any
}

// turn gives the latest order a turn by hand.
func (w *portWorld) turn(m portMove) {
	last, there := w.latest()
	// One that is being cancelled can only be cancelled, or move all the same.
	if !there || last.state == "COMPLETED" || !last.open() && m.Do != carriertest.HandComplete ||
		last.state == "CANCELLING" && m.Do != carriertest.HandComplete && m.Do != carriertest.HandCancel {
		return
	}
	// What is due by now has happened before.
	fatal(w.t, w.network.Advance(0))
	if last, _ = w.latest(); last.state == "COMPLETED" {
		return
	}
	if agrees := m.Do == carriertest.HandConfirm || m.Do == carriertest.HandComplete || m.Do == carriertest.HandDelay; knownMind && agrees &&
		(last.state == "REFUSED" || w.now(w.t).State == mobile.StateWaitingForCustomer) {
		return
	}
	w.lateMove = w.lateMove || last.state == "CANCELLED"
	hand := carriertest.Hand{Turn: m.Do, Code: m.Code}
	if m.Do == carriertest.HandConfirm && w.plays.Slow {
		hand.Due = w.clock().Add(day)
	}
	err := w.network.TurnPort(last.external, hand)
	w.tells("turned: %v", err)
	w.words = append(w.words, word{what: "turn " + m.Do})
	if w.plays.Events == "" {
		w.tellAll()
	}
}

// tellAll brings the carrier's letters to the record, as the program has it.
func (w *portWorld) tellAll() {
	entries := w.carrier.journal.Entries()
	var letters []partnertest.Parcel
	for _, e := range entries[min(w.toldPort, len(entries)):] {
		list, _ := e.Data["letters"].([]any)
		for _, l := range list {
			facts, _ := l.(map[string]any)
			id, _ := facts["id"].(string)
			body, _ := facts["body"].(string)
			letters = append(letters, partnertest.Parcel{ID: id, Body: []byte(body)})
		}
	}
	w.toldPort = len(entries)
	times := 1
	switch w.plays.Events {
	case "lost":
		return
	case "thrice":
		times = 3
	case "backwards":
		slices.Reverse(letters)
	}
	for _, l := range letters {
		for range times {
			w.deliver(l.Body)
		}
	}
	if len(letters) > 0 {
		w.carry()
	}
}

// deliver takes an event as the webhook does.
func (w *portWorld) deliver(body []byte) {
	now := w.clock()
	header := http.Header{carrier.SignatureHeader: []string{carriertest.Signature(portSecret, now, body)}}
	event, err := w.verifier.VerifyEvent(header, body, now)
	if err != nil || event.Port == nil {
		w.note("an event cannot be read: %v", err)
		return
	}
	p := event.Port
	err = w.db.InSystem(w.ctx(), func(s *store.Store) error {
		_, err := s.TakePortEvent(w.ctx(), store.PortEvent{
			PartnerEvent: store.PartnerEvent{
				Partner: mobile.PartnerCarrier, DedupKey: event.ID, Kind: event.Type, Body: body, Occurred: event.At,
			},
			ExternalID: p.ExternalID, Word: mobile.PortWord(p.State), Reason: p.Reason, Code: p.Code, Message: p.Message,
			Reference: p.Reference, Due: p.Due, At: p.At, Number: p.Number, ICCID: mobile.ICCID(p.ICCID), Ahead: carrier.EventTolerance,
		})
		return err
	})
	if err != nil {
		w.note("an event was not taken: %v", err)
	}
}

// forge brings an event of a completion that is none.
func (w *portWorld) forge(how string) {
	last, there := w.latest()
	if !there {
		return
	}
	number, iccid, at := last.number, "", w.clock()
	switch how {
	case doForgeNum:
		number = "+12125550177"
	case doForgeSIM:
		iccid = "8901000000000000005"
		if w.now(w.t).Profile == nil {
			return
		}
	default:
		at = at.Add(2 * day)
	}
	sim := ""
	if iccid != "" {
		sim = fmt.Sprintf(`"iccid":%q,`, iccid)
	} else if p := w.now(w.t).Profile; p != nil {
		sim = fmt.Sprintf(`"iccid":%q,`, string(p.ICCID))
	}
	stamp := at.UTC().Format(time.RFC3339Nano)
	w.deliver(fmt.Appendf(nil, `{"id":"evt_forged_%d","type":"port.completed","external_id":%q,"created_at":%q,"port":{"external_id":%q,
		"line_external_id":%q,"port_id":"prt_000001",%s"number":%q,"state":"COMPLETED","state_since":%q}}`,
		len(w.story), last.external, stamp, last.external, string(w.activation.ID), sim, number, stamp))
}

// settle has everybody do what ends it.
func (w *portWorld) settle() {
	a, now := w.now(w.t), w.clock()
	if last, there := w.latest(); there && (last.state == "SUBMITTED" || last.state == "DELAYED") && !last.next {
		w.turn(portMove{Do: carriertest.HandConfirm})
	}
	p := a.Port
	switch {
	case a.Port.State == mobile.PortConfirmed || a.State.Final():
		return
	case w.plays.Settles == "silent":
		return
	case w.over:
		return
	case w.plays.Settles == "stops" || now.After(w.settles.Add(tiredAfter)):
		w.customer(portMove{Do: doStop})
		return
	case w.plays.Settles == "new number":
		w.customer(portMove{Do: doKeep})
	}
	if p.Prompt.Open() {
		switch p.Prompt.Kind {
		case mobile.PromptProvideInfo, mobile.PromptCorrectInfo:
			w.customer(portMove{Do: doGive})
		case mobile.PromptActAtDonor:
			w.customer(portMove{Do: doConfirm})
		case mobile.PromptCorrectDevice:
			w.customer(portMove{Do: doDevice})
		case mobile.PromptDecide:
			if w.changed {
				w.customer(portMove{Do: doKeep})
			} else {
				w.customer(portMove{Do: doNumber, Story: "00"})
			}
			w.changed = true
		case mobile.PromptNone:
		}
	}
	w.carry()
}

// decideOne answers one question to operators.
func (w *portWorld) decideOne() {
	a := w.now(w.t)
	for _, item := range a.OpenItems() {
		offers := item.Question(!a.Live.IsZero()).Offers()
		if holdsNothing(item.Kind) {
			continue
		}
		if len(offers) == 0 {
			w.note("nothing can be decided about %s %s %s", item.Kind, item.Step, item.Act)
			return
		}
		for _, choice := range w.wishes(item, offers) {
			if said, ok := w.truthOf(item, choice); ok {
				w.tells("decided %s about %s %s %s %s", choice, item.Kind, item.Step, item.Act, item.Reason)
				w.words = append(w.words, word{what: "decided " + string(choice)})
				w.operator.decide(item, choice, said)
				w.gap = time.Minute
				return
			}
		}
	}
}

// holdsNothing tells of an item that holds nothing up.
func holdsNothing(kind mobile.ItemKind) bool {
	return slices.Contains([]mobile.ItemKind{
		mobile.ItemNumberAtRisk, mobile.ItemMailNotDelivered, mobile.ItemInstallFailed, mobile.ItemOddEvent, mobile.ItemDoesNotWork,
	}, kind)
}

// wishes is what the operator would like to say, best first: by the program first. Nothing lets
// it wait.
func (w *portWorld) wishes(item mobile.Item, offers []mobile.Resolution) []mobile.Resolution {
	offers = slices.DeleteFunc(offers, func(r mobile.Resolution) bool { return r == mobile.ResolutionEndAsFailed })
	if len(offers) == 0 {
		return nil
	}
	wearied := w.clock().After(w.settles.Add(weariedAfter))
	if answers := w.operator.answers; len(answers) > 0 {
		w.operator.answers = answers[1:]
		if drawn := answers[0] % (len(offers) + 1); drawn < len(offers) {
			return offers[drawn : drawn+1]
		}
		return nil
	}
	waits := item.Kind == mobile.ItemStepStuck || item.Kind == mobile.ItemCarrierSilent
	if !w.healed && item.Kind != mobile.ItemRunLost || waits && !wearied {
		return nil
	}
	again := 0
	for _, told := range w.operator.told {
		if told.item.Kind == item.Kind && told.item.Act == item.Act && told.item.Step == item.Step {
			again++
		}
	}
	if again >= 4 {
		slices.Reverse(offers)
	}
	return offers
}

// truthOf tells whether a choice may be said, and with which reference.
func (w *portWorld) truthOf(item mobile.Item, choice mobile.Resolution) (said string, ok bool) {
	switch {
	case choice != mobile.ResolutionDone:
		return "", true
	case item.Kind == mobile.ItemCarrierSilent, item.Act.Base() == mobile.ActCancelPort:
		w.turn(portMove{Do: carriertest.HandCancel})
		last, _ := w.latest()
		return "", last.state == "CANCELLED" || last.state == ""
	case item.Act.Base() == mobile.ActSendMail:
		return "", item.Kind == mobile.ItemStepRefused || w.activationMails() > 0
	}
	return w.operator.truth(item, choice)
}

// activationMails counts the mails with the QR code that SendGrid accepted.
func (w *portWorld) activationMails() (n int) {
	for _, notice := range w.now(w.t).Notices {
		for _, e := range w.sendgrid.journal.Entries() {
			if notice.Kind == mobile.NoticeActivation && e.Act == mailtest.ActAccepted && e.Reference == notice.ID {
				n++
			}
		}
	}
	return n
}

// happened names what happened in a program that has ended.
func (w *portWorld) happened() []string {
	a := w.now(w.t)
	what := []string{"programs", strings.TrimSpace(string(a.State) + " " + a.Reason), "port " + string(a.Port.State)}
	for range w.bitten {
		what = append(what, "faults bitten")
	}
	for range len(w.plays.Losses) - len(w.losses) {
		what = append(what, "runs lost")
	}
	for _, said := range w.words {
		what = append(what, said.what)
	}
	for _, item := range a.Items {
		what = append(what, "item "+string(item.Kind))
	}
	return what
}
