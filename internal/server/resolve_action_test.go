package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dialtone/dialtone/activities"
	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// desk is where runs wait for decisions: what it is told, and what they do about it.
type desk struct {
	server.Runs
	heed func(context.Context, workflows.Resolve) error

	mu   sync.Mutex
	told []workflows.Resolve
}

func (d *desk) Resolve(ctx context.Context, r workflows.Resolve) error {
	d.mu.Lock()
	d.told = append(d.told, r)
	d.mu.Unlock()
	return d.heed(ctx, r)
}

// asking is a door with an activation that asks an operator about an order whose answer was
// lost, and the desk of its run.
type asking struct {
	*bundle
	desk *desk
	a    mobile.Activation
	item mobile.Item
}

func askingSetup(t *testing.T) *asking {
	t.Helper()
	d := &desk{}
	b := setup(t, func(c *server.Config) { c.Runs = d })
	k := &asking{bundle: b, desk: d, a: b.launched(t, b.a)}
	d.heed = k.carryOut
	b.move(t, b.a, k.a.ID, mobile.StateRunning)
	b.loseOrder(t, k.a, "")
	b.asks(t, k.a, mobile.Item{Kind: mobile.ItemOutcomeUnknown, Step: mobile.StepReserveESIM})
	b.move(t, b.a, k.a.ID, mobile.StateWaitingForOperator)
	k.a = storetest.Read(t, b.DB, k.a)
	k.item = k.a.Items[0]
	return k
}

// carryOut does what a run does with a decision.
func (k *asking) carryOut(ctx context.Context, r workflows.Resolve) error {
	record := activities.Record{DB: k.DB}
	_, err := record.TakeDecision(ctx, activities.DecisionInput{
		Ref: activities.Ref{Tenant: k.a.Tenant, Activation: k.a.ID}, Command: r.Decision.Command, RunID: "run", At: today(),
	})
	return err
}

// loseOrder orders an eSIM whose answer is lost, for an activation or a follow-up of it.
func (b *bundle) loseOrder(t *testing.T, a mobile.Activation, f mobile.FollowUpID) {
	t.Helper()
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		e, err := s.LockEffect(ctx, mobile.Effect{
			Tenant: a.Tenant, Activation: a.ID, FollowUp: f, Act: mobile.ActOrderProfile, Partner: mobile.PartnerSMDPPlus,
			Settle: mobile.SettleBlind,
		})
		must(t, err)
		_, err = s.SendEffect(ctx, e)
		return err
	})
}

// asks opens an item, past the engine.
func (b *bundle) asks(t *testing.T, a mobile.Activation, item mobile.Item) {
	t.Helper()
	item.Activation, item.Reason = a.ID, string(item.Kind)
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error { return s.OpenItem(ctx, a.Tenant, item) })
}

func resolveAs(a mobile.Activation, r dialtonev1.Resolution) *dialtonev1.ResolveActionRequest {
	return &dialtonev1.ResolveActionRequest{
		RequestId: uuid.NewString(), ActivationId: string(a.ID), Resolution: r, Reason: "Asked the SM-DP+",
	}
}

// good is an ICCID as a person would give it.
func good(n int) mobile.ICCID { return mobile.ICCID(fmt.Sprintf("8901%016d", n)) }

const (
	asDone      = dialtonev1.Resolution_RESOLUTION_DONE
	asSendAgain = dialtonev1.Resolution_RESOLUTION_SEND_AGAIN
	asGiveUp    = dialtonev1.Resolution_RESOLUTION_GIVE_UP
	asGoOn      = dialtonev1.Resolution_RESOLUTION_GO_ON
	asDismiss   = dialtonev1.Resolution_RESOLUTION_DISMISS
)

func notApplicable(meta map[string]string) refusal {
	return refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE", Meta: meta}
}

func TestResolveAction(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	ctx := as(t.Context(), k.bundle.a.operator())
	request := resolveAs(k.a, asDone)
	request.Reference, request.Revision, request.ItemId = string(good(1)), k.a.Revision, strings.ToUpper(k.item.ID)

	response, err := k.workflows.ResolveAction(ctx, request)
	must(t, err)

	w := response.GetWorkflow()
	if w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_RUNNING || w.GetProfile().GetIccidLast4() != good(1).Last4() {
		t.Errorf("%v", w)
	}
	item := w.GetItems()[0]
	if item.GetResolution() != asDone || item.GetActor() != "operator" || item.GetCloseTime() == nil {
		t.Errorf("the item is %v", item)
	}
	k.wantTold(t, request)
	// A repeat answers the same, and asks nobody.
	_, err = k.workflows.ResolveAction(ctx, request)
	must(t, err)
	k.wantTold(t, request)
	if n := ask[int](t, k.bundle, `SELECT count(*) FROM audit`); n != 1 {
		t.Errorf("%d audits", n)
	}
	request.Reason = "Another"
	_, err = k.workflows.ResolveAction(ctx, request)
	wantRefusal(t, err, refusal{
		Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED", Meta: map[string]string{"activation_id": string(k.a.ID)},
	})
}

// wantTold checks that the run was told of one request, once.
func (k *asking) wantTold(t *testing.T, request *dialtonev1.ResolveActionRequest) {
	t.Helper()
	if len(k.desk.told) != 1 {
		t.Fatalf("the run was told %d times", len(k.desk.told))
	}
	got := k.desk.told[0]
	if late := time.Until(got.Decision.Until); late <= 0 || late > time.Minute {
		t.Errorf("it may be heeded until %s", got.Decision.Until)
	}
	got.Decision.Until = time.Time{}
	want := workflows.Resolve{
		WorkflowID: k.a.WorkflowID, RequestID: request.GetRequestId(),
		Decision: workflows.ResolveAction{
			Command: ask[string](t, k.bundle, `SELECT audit_id::text FROM audit WHERE method = 'ResolveAction'`),
			Choice:  mobile.ResolutionDone, Kind: k.item.Kind, Step: k.item.Step,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Who decided, and why, is kept: the reason sealed, and a console's person by name.
func TestResolveAction_Audit(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	request := resolveAs(k.a, asGiveUp)
	_, err := k.workflows.ResolveAction(as(t.Context(), k.bundle.a.token(mobile.PrincipalConsole)), request)
	wantRefusal(t, err, invalid(map[string]string{"actor": "FIELD_REQUIRED"}))
	request.Actor = "Ann Lee"

	response, err := k.workflows.ResolveAction(as(t.Context(), k.bundle.a.token(mobile.PrincipalConsole)), request)
	must(t, err)

	if got := response.GetWorkflow().GetItems()[0].GetActor(); got != "Ann Lee" {
		t.Errorf("settled by %q", got)
	}
	if cancel := response.GetWorkflow().GetCancel(); cancel.GetActor() != "Ann Lee" || cancel.GetPrincipal() != dialtonev1.Principal_PRINCIPAL_CONSOLE {
		t.Errorf("stopped by %v", cancel)
	}
	actor, reason := k.audited(t, "ResolveAction", k.a)
	if !strings.HasPrefix(actor, "Ann Lee (token ") || reason != request.GetReason() {
		t.Errorf("the audit says %q did it: %q", actor, reason)
	}
	if strings.Contains(k.logs.String(), request.GetReason()) {
		t.Error("the reason is in the logs")
	}
}

// audited reads the only audit of a method, with its reason opened.
func (b *bundle) audited(t *testing.T, method string, a mobile.Activation) (actor, reason string) {
	t.Helper()
	var row string
	var sealed []byte
	must(t, b.Connect(t).QueryRow(t.Context(), `
		SELECT audit_id, actor, reason_sealed FROM audit WHERE method = $1 AND resource_id = $2`, method, a.ID).Scan(&row, &actor, &sealed))
	plain, err := storetest.Sealer().Open(sealed, "audit.reason", string(a.Tenant), row)
	must(t, err)
	return actor, string(plain)
}

// An engine that does not answer changes nothing: the repeat brings the same command to the
// run again, under the same id.
func TestResolveAction_TryAgain(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]error{
		"down": workflows.ErrEngineDown.Because(errors.New("connection refused")), "odd": errors.New("odd"), "late": context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := askingSetup(t)
			ctx := as(t.Context(), k.bundle.a.operator())
			k.desk.heed = func(context.Context, workflows.Resolve) error { return down }
			request := resolveAs(k.a, asSendAgain)

			_, err := k.workflows.ResolveAction(ctx, request)

			wantRefusal(t, err, refusal{
				Code: codes.Unavailable, Reason: "TRY_AGAIN", Meta: map[string]string{"activation_id": string(k.a.ID)},
			})
			if !slices.ContainsFunc(status.Convert(err).Details(), func(d any) bool { _, is := d.(*errdetails.RetryInfo); return is }) {
				t.Errorf("it does not say when to come back: %v", status.Convert(err).Details())
			}
			if len(storetest.Read(t, k.DB, k.a).OpenItems()) != 1 {
				t.Error("the item is closed")
			}
			k.desk.heed = k.carryOut
			response, err := k.workflows.ResolveAction(ctx, request)
			must(t, err)
			if response.GetWorkflow().GetItems()[0].GetResolution() != asSendAgain {
				t.Errorf("%v", response)
			}
			first, second := k.desk.told[0], k.desk.told[1]
			if first.RequestID != second.RequestID || first.Decision.Command != second.Decision.Command {
				t.Errorf("told %+v and then %+v", first, second)
			}
			if n := ask[int](t, k.bundle, `SELECT count(*) FROM audit`); n != 1 {
				t.Errorf("%d audits", n)
			}
		})
	}
}

// A door without an engine keeps the decision, and says that nothing has heeded it.
func TestResolveAction_WithoutEngine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.launched(t, b.a)
	b.asks(t, a, mobile.Item{Kind: mobile.ItemRunLost})

	_, err := b.workflows.ResolveAction(as(t.Context(), b.a.operator()), resolveAs(a, asGoOn))

	wantRefusal(t, err, refusal{Code: codes.Unavailable, Reason: "TRY_AGAIN"})
}

// A run that does not wait for it any more, or that is not there, is no success.
func TestResolveAction_RunRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"does not wait": {workflows.ErrNotApplicable, "no longer asked"},
		"is not there":  {workflows.ErrNoRun, "Revive it first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := askingSetup(t)
			k.desk.heed = func(context.Context, workflows.Resolve) error { return c.err }

			_, err := k.workflows.ResolveAction(as(t.Context(), k.bundle.a.operator()), resolveAs(k.a, asSendAgain))

			wantRefusal(t, err, notApplicable(map[string]string{"activation_id": string(k.a.ID)}))
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			if len(storetest.Read(t, k.DB, k.a).OpenItems()) != 1 {
				t.Error("the item is closed")
			}
		})
	}
}

// What is no longer asked while the decision was on its way is not decided, and a repeat says so
// without asking the run again.
func TestResolveAction_Overtaken(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	ctx := as(t.Context(), k.bundle.a.operator())
	k.desk.heed = func(ctx context.Context, r workflows.Resolve) error {
		k.record(t, k.a.Tenant, func(ctx context.Context, s *store.Store) error {
			e, _, err := s.Effect(ctx, mobile.Effect{Tenant: k.a.Tenant, Activation: k.a.ID, Act: mobile.ActOrderProfile})
			must(t, err)
			e.Verdict, e.Reference = mobile.VerdictYes, string(good(3))
			_, err = s.WitnessEffect(ctx, e, store.WitnessEvidence)
			return err
		})
		return k.carryOut(ctx, r)
	}
	request := resolveAs(k.a, asSendAgain)

	for range 2 {
		_, err := k.workflows.ResolveAction(ctx, request)
		wantRefusal(t, err, notApplicable(map[string]string{"activation_id": string(k.a.ID)}))
		if !strings.Contains(err.Error(), "no longer asked") {
			t.Errorf("it says %v", err)
		}
	}

	if len(k.desk.told) != 1 {
		t.Errorf("the run was told %d times", len(k.desk.told))
	}
	if n := ask[int](t, k.bundle, `SELECT count(*) FROM effects`); n != 1 {
		t.Errorf("%d generations", n)
	}
}

// An ICCID that a tenant cannot see to be taken is refused by the index when it is carried
// out; the question stays, and another answer is taken.
func TestResolveAction_ReferenceInUse(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	ctx := as(t.Context(), k.bundle.a.operator())
	k.reserve(t, k.launched(t, k.bundle.a), good(4))
	k.reserve(t, k.launched(t, k.b), good(5))
	inUse := invalid(map[string]string{"reference": "REFERENCE_IN_USE"})
	request := resolveAs(k.a, asDone)

	request.Reference = string(good(4))
	_, err := k.workflows.ResolveAction(ctx, request)
	wantRefusal(t, err, inUse)
	if len(k.desk.told) != 0 || ask[int](t, k.bundle, `SELECT count(*) FROM requests`) != 0 {
		t.Error("one that is seen to be taken was kept")
	}
	request.Reference = string(good(5))
	for range 2 {
		_, err = k.workflows.ResolveAction(ctx, request)
		wantRefusal(t, err, inUse)
	}
	if len(k.desk.told) != 1 {
		t.Errorf("the run was told %d times", len(k.desk.told))
	}
	request.RequestId, request.Reference = uuid.NewString(), string(good(6))
	response, err := k.workflows.ResolveAction(ctx, request)
	must(t, err)

	if response.GetWorkflow().GetItems()[0].GetResolution() != asDone {
		t.Errorf("%v", response)
	}
}

// reserve lets an activation hold an eSIM.
func (b *bundle) reserve(t *testing.T, a mobile.Activation, iccid mobile.ICCID) {
	t.Helper()
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
		_, err := s.ReserveProfile(ctx, a.Tenant, mobile.Profile{Activation: a.ID, ICCID: iccid, ProfileType: storetest.ProfileType}, "M")
		return err
	})
}

// What no run waits for is settled at once, also after the end and while the engine is away.
func TestResolveAction_Dismiss(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for n, kind := range []mobile.ItemKind{mobile.ItemNumberAtRisk, mobile.ItemMailNotDelivered, mobile.ItemInstallFailed} {
		t.Run(string(kind), func(t *testing.T) {
			a, _ := b.succeeded(t, b.a, n+1)
			b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) error {
				return s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: kind})
			})
			request := resolveAs(a, asDismiss)
			for range 2 {
				response, err := b.workflows.ResolveAction(as(t.Context(), b.a.operator()), request)
				must(t, err)
				w := response.GetWorkflow()
				if w.GetItems()[0].GetResolution() != asDismiss || w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED {
					t.Errorf("%v", w)
				}
			}
			if n := ask[int](t, b, `SELECT count(*) FROM events WHERE type = 'item.closed' AND activation_id = $1`, a.ID); n != 1 {
				t.Errorf("%d events", n)
			}
			_, err := b.workflows.ResolveAction(as(t.Context(), b.a.operator()), resolveAs(a, asDismiss))
			wantRefusal(t, err, notApplicable(map[string]string{"activation_id": string(a.ID)}))
		})
	}
}

// What a follow-up asks is answered to its own run.
func TestResolveAction_FollowUp(t *testing.T) {
	t.Parallel()
	d := &desk{}
	b := setup(t, func(c *server.Config) { c.Runs = d })
	a, _ := b.succeeded(t, b.a, 1)
	var f mobile.FollowUp
	b.record(t, a.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		f, err = s.FileFollowUp(ctx, mobile.FollowUp{Tenant: a.Tenant, Activation: a.ID, Kind: mobile.FollowUpReplace}, "")
		return err
	})
	b.loseOrder(t, a, f.ID)
	b.asks(t, a, mobile.Item{Kind: mobile.ItemOutcomeUnknown, Step: mobile.StepReplaceProfile, FollowUp: f.ID})
	k := &asking{bundle: b, desk: d, a: a}
	d.heed = k.carryOut

	response, err := b.workflows.ResolveAction(as(t.Context(), b.a.operator()), resolveAs(a, asSendAgain))
	must(t, err)

	if got := d.told[0].WorkflowID; got != f.WorkflowID {
		t.Errorf("%s was told", got)
	}
	if w := response.GetWorkflow(); w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED || w.GetItems()[0].GetResolution() != asSendAgain {
		t.Errorf("%v", w)
	}
}

func TestResolveAction_Refusals(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	quiet, others := k.launched(t, k.bundle.a), k.launched(t, k.b)
	k.asks(t, others, mobile.Item{Kind: mobile.ItemRunLost})
	several := k.launched(t, k.bundle.a)
	k.asks(t, several, mobile.Item{Kind: mobile.ItemRunLost})
	k.asks(t, several, mobile.Item{Kind: mobile.ItemMailNotDelivered})
	several = storetest.Read(t, k.DB, several)
	both := several.Items[0].ID + " " + several.Items[1].ID
	changed := func(r *dialtonev1.ResolveActionRequest, change func(*dialtonev1.ResolveActionRequest)) *dialtonev1.ResolveActionRequest {
		change(r)
		return r
	}
	id := string(k.a.ID)

	for name, c := range map[string]struct {
		request *dialtonev1.ResolveActionRequest
		want    refusal
	}{
		"nothing asked": {resolveAs(quiet, asGoOn), notApplicable(map[string]string{"activation_id": string(quiet.ID)})},
		"another item": {
			changed(resolveAs(k.a, asDone), func(r *dialtonev1.ResolveActionRequest) { r.ItemId = uuid.NewString() }),
			notApplicable(map[string]string{"activation_id": id}),
		},
		"which of them": {
			resolveAs(several, asGoOn), notApplicable(map[string]string{"activation_id": string(several.ID), "item_ids": both}),
		},
		"not offered": {resolveAs(k.a, asGoOn), notApplicable(map[string]string{
			"activation_id": id, "item_id": k.item.ID, "choices": "DONE SEND_AGAIN GIVE_UP",
		})},
		"not to be dismissed": {resolveAs(k.a, asDismiss), notApplicable(nil)},
		"stale": {
			changed(resolveAs(k.a, asSendAgain), func(r *dialtonev1.ResolveActionRequest) { r.Revision = k.a.Revision - 1 }),
			refusal{Code: codes.FailedPrecondition, Reason: "STALE_REVISION", Meta: map[string]string{
				"activation_id": id, "revision": "4",
			}},
		},
		"no reference": {resolveAs(k.a, asDone), invalid(map[string]string{"reference": "REFERENCE_REQUIRED"})},
		"no ICCID": {
			changed(resolveAs(k.a, asDone), func(r *dialtonev1.ResolveActionRequest) { r.Reference = "order 7" }),
			invalid(map[string]string{"reference": "REFERENCE_MALFORMED"}),
		},
		"a reference of nothing": {
			changed(resolveAs(k.a, asSendAgain), func(r *dialtonev1.ResolveActionRequest) { r.Reference = string(good(8)) }),
			invalid(map[string]string{"reference": "FIELD_NOT_ALLOWED"}),
		},
		"another's": {resolveAs(others, asGoOn), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
		"absent": {
			resolveAs(mobile.Activation{ID: mobile.ActivationID(uuid.NewString())}, asGoOn),
			refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"},
		},
		"empty": {&dialtonev1.ResolveActionRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED", "resolution": "FIELD_REQUIRED",
		})},
		"malformed": {
			&dialtonev1.ResolveActionRequest{
				RequestId: "x", ActivationId: "a/b", Revision: -1, Reason: "\n", Actor: "Ann", ItemId: "7", Resolution: 99,
				Reference: "x",
			},
			invalid(map[string]string{
				"request_id": "FIELD_MALFORMED", "activation_id": "FIELD_MALFORMED", "revision": "FIELD_MALFORMED",
				"reason": "FIELD_CONTROL_CHARACTER", "actor": "FIELD_NOT_ALLOWED", "item_id": "FIELD_MALFORMED",
				"resolution": "FIELD_REQUIRED", "reference": "FIELD_NOT_ALLOWED",
			}),
		},
		"a long reference": {
			changed(resolveAs(k.a, asDone), func(r *dialtonev1.ResolveActionRequest) { r.Reference = strings.Repeat("8", 129) }),
			invalid(map[string]string{"reference": "FIELD_TOO_LONG"}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := k.workflows.ResolveAction(as(t.Context(), k.bundle.a.operator()), c.request)
			wantRefusal(t, err, c.want)
		})
	}
	for _, table := range []string{"requests", "audit", "commands"} {
		if n := ask[int](t, k.bundle, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%d refusals are in %s", n, table)
		}
	}
	if len(k.desk.told) != 0 {
		t.Errorf("runs were told %v", k.desk.told)
	}
}

// A mail has a reference that may be left out; most acts have none.
func TestResolveAction_OptionalReference(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	ctx := as(t.Context(), k.bundle.a.operator())
	stuck := k.launched(t, k.bundle.a)
	k.record(t, stuck.Tenant, func(ctx context.Context, s *store.Store) error {
		e, err := s.LockEffect(ctx, mobile.Effect{
			Tenant: stuck.Tenant, Activation: stuck.ID, Act: mobile.ActDeactivateLine, Partner: mobile.PartnerCarrier, Settle: mobile.SettleKeyed,
		})
		must(t, err)
		_, err = s.SendEffect(ctx, e)
		return err
	})
	k.asks(t, stuck, mobile.Item{Kind: mobile.ItemStepStuck, Step: mobile.StepActivateLine, Undoing: true})
	request := resolveAs(stuck, asDone)
	request.Reference = "LN-9"
	_, err := k.workflows.ResolveAction(ctx, request)
	wantRefusal(t, err, invalid(map[string]string{"reference": "FIELD_NOT_ALLOWED"}))

	mailed, _ := k.mailed(t, k.bundle.a, 1)
	k.record(t, mailed.Tenant, func(ctx context.Context, s *store.Store) error {
		e, err := s.LockEffect(ctx, mobile.Effect{
			Tenant: mailed.Tenant, Activation: mailed.ID, Act: mobile.ActSendMail, Partner: mobile.PartnerSendGrid, Settle: mobile.SettleEvidenced,
		})
		must(t, err)
		_, err = s.SendEffect(ctx, e)
		return err
	})
	k.asks(t, mailed, mobile.Item{Kind: mobile.ItemOutcomeUnknown, Step: mobile.StepSendActivationEmail})
	k.a = mailed
	response, err := k.workflows.ResolveAction(ctx, resolveAs(mailed, asDone))
	must(t, err)
	if got := response.GetWorkflow().GetNotices()[0].GetDelivery(); got != dialtonev1.NoticeDelivery_NOTICE_DELIVERY_SENT {
		t.Errorf("the mail is %s", got)
	}
}

// One decision, sent by many at one moment, is one.
func TestResolveAction_AtOnce(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	request := resolveAs(k.a, asSendAgain)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(as(t.Context(), k.bundle.a.operator()), time.Minute)
			defer cancel()
			if _, err := k.workflows.ResolveAction(ctx, request); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	if got := ask[[]string](t, k.bundle, `SELECT array_agg(state) FROM profiles`); !cmp.Equal(got, []string{"LEAKED"}) {
		t.Errorf("profiles %v", got)
	}
	for _, told := range k.desk.told {
		if told.RequestID != request.GetRequestId() || told.Decision.Command != k.desk.told[0].Decision.Command {
			t.Errorf("told %+v", told)
		}
	}
}

// Each choice of an item is a command line of its own; where several items are open it names
// the item.
func TestResolveAction_Choices(t *testing.T) {
	t.Parallel()
	k := askingSetup(t)
	lines := func() (all []string) {
		response, err := k.workflows.GetWorkflow(as(t.Context(), k.bundle.a.operator()), &dialtonev1.GetWorkflowRequest{
			Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: string(k.a.ID)},
		})
		must(t, err)
		for _, choice := range response.GetWorkflow().GetChoices() {
			if choice.GetCommand() == dialtonev1.Command_COMMAND_RESOLVE_ACTION {
				all = append(all, strings.ReplaceAll(choice.GetCli(), string(k.a.ID), "ID"))
			}
		}
		return all
	}
	if diff := cmp.Diff([]string{
		"dialtone workflow resolve ID --as done --reference ICCID --reason WHY",
		"dialtone workflow resolve ID --as send-again --reason WHY",
		"dialtone workflow resolve ID --as give-up --reason WHY",
	}, lines()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}

	k.asks(t, k.a, mobile.Item{Kind: mobile.ItemMailNotDelivered})

	for _, line := range lines() {
		if !strings.Contains(line, " --item ") {
			t.Errorf("%s does not name the item", line)
		}
	}
}
