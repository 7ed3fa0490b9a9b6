package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// commandTimeout is how long a run may take to heed an operator. A command is heeded at once
// or not at all: it was decided on what was so then.
const commandTimeout = 5 * time.Second

// Refusals of decisions.
var (
	errNothingAsked = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"Nothing waits for this decision: no such item is open. Read the workflow again; its choices say what can be done.")
	errWhichItem = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"More than one item is open. Say by item_id which one is meant.")
	errNotOffered = fault.New(fault.Conflict, "NOT_APPLICABLE", "This resolution is not among the item's choices.")
	errOvertaken  = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"It is no longer asked: it was settled meanwhile, by itself or by somebody else, and this decision changed nothing. Read the workflow again.")
	errNoRunToHeed = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"The engine has no run of this workflow that could heed a decision. Revive it first.")
	errNotHeeded = fault.New(fault.Unavailable, "TRY_AGAIN",
		"The workflow did not answer in time. Send the same request again: it finds out whether the decision was taken.").After(time.Second)
)

// resolving is a ResolveAction as it was understood.
type resolving struct {
	mutation

	id         mobile.ActivationID
	revision   int64
	item       string
	resolution mobile.Resolution
	reference  string
}

// ResolveAction settles what waits for an operator. What was decided is kept and audited
// first; then the run that waits is told, and carries it out itself. An item that no run waits
// for is settled at once.
func (r *rpcs) ResolveAction(ctx context.Context, request *dialtonev1.ResolveActionRequest) (*dialtonev1.ResolveActionResponse, error) {
	caller := access.From(ctx)
	v, err := readResolving(caller, request)
	if err != nil {
		return nil, err
	}
	filed, err := r.fileDecision(ctx, v)
	if err != nil {
		return nil, withActivation(err, v.id)
	}
	if filed.command.Outcome == "" {
		if filed.command, err = r.bringDecision(ctx, v, filed); err != nil {
			return nil, withActivation(err, v.id)
		}
	}
	if err := outcomeOf(filed.command); err != nil {
		return nil, withActivation(err, v.id)
	}
	var workflow *dialtonev1.Workflow
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) (err error) {
		workflow, err = r.readWorkflow(ctx, s, caller.Tenant, store.Key{ID: v.id})
		return err
	})
	return &dialtonev1.ResolveActionResponse{Workflow: workflow}, err
}

func readResolving(caller access.Caller, request *dialtonev1.ResolveActionRequest) (resolving, error) {
	var f form
	v := resolving{
		id:         f.activation("activation_id", request.GetActivationId()),
		revision:   f.revision(request.GetRevision()),
		resolution: f.resolution(request.GetResolution()),
		reference:  f.reference(request.GetReference(), request.GetResolution()),
	}
	if request.GetItemId() != "" {
		v.item = f.uuid("item_id", request.GetItemId())
	}
	v.mutation = mutation{
		method: "ResolveAction", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		reason: f.reason(request.GetReason()), person: f.actor(caller, request.GetActor()),
		resource: string(v.id), activation: true, audit: uuid.Must(uuid.NewV7()).String(),
	}
	v.fields = []string{
		string(v.id), strconv.FormatInt(v.revision, 10), v.reason, v.person, v.item, string(v.resolution), v.reference,
	}
	return v, f.err()
}

// resolution reads how an item is to be settled.
func (f *form) resolution(r dialtonev1.Resolution) mobile.Resolution {
	resolution := mobile.Resolution(strings.TrimPrefix(r.String(), "RESOLUTION_"))
	if !slices.Contains(mobile.Resolutions(), resolution) {
		f.refuse("resolution", "FIELD_REQUIRED", "Say how the item is to be settled: one of its choices.")
		return ""
	}
	return resolution
}

const referenceLengthMax = 128

// reference reads the partner's own name of what was done; only DONE has one.
func (f *form) reference(s string, r dialtonev1.Resolution) string {
	switch {
	case s == "":
		return ""
	case r != dialtonev1.Resolution_RESOLUTION_DONE:
		f.refuse("reference", "FIELD_NOT_ALLOWED", "Only DONE names the partner's reference. Leave this field out.")
		return ""
	}
	return f.text("reference", s, referenceLengthMax)
}

// decisionFiled is a decision that is kept, and what it is about.
type decisionFiled struct {
	command store.Command
	item    mobile.Item
	// workflow is the Temporal workflow that waits for it; empty when none does.
	workflow string
}

// fileDecision keeps a decision if it is offered; what nobody waits for it settles at once. A
// repeat gives what the first one came to.
func (r *rpcs) fileDecision(ctx context.Context, v resolving) (filed decisionFiled, err error) {
	err = r.db.InTenant(ctx, v.tenant, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, v.mutation)
		if err != nil {
			return err
		}
		a, err := s.LockedActivation(ctx, v.tenant, v.id)
		if err != nil {
			return err
		}
		if repeated {
			filed, err = findDecision(ctx, s, a, v)
			return err
		}
		if v.revision != 0 && v.revision != a.Revision {
			return store.ErrStaleRevision.With("revision", strconv.FormatInt(a.Revision, 10))
		}
		filed, err = fileDecision(ctx, s, a, v)
		return err
	})
	return filed, err
}

func findDecision(ctx context.Context, s *store.Store, a mobile.Activation, v resolving) (filed decisionFiled, err error) {
	if filed.command, err = s.CommandOf(ctx, v.tenant, v.requestID); err != nil {
		return filed, err
	}
	if filed.item, err = s.Item(ctx, v.id, filed.command.ItemID); err != nil {
		return filed, err
	}
	filed.workflow, err = heeding(ctx, s, a, filed.item)
	return filed, err
}

func fileDecision(ctx context.Context, s *store.Store, a mobile.Activation, v resolving) (filed decisionFiled, err error) {
	if filed.item, err = findItem(ctx, s, v); err != nil {
		return filed, err
	}
	forward, err := s.GoesForward(ctx, a)
	if err != nil {
		return filed, err
	}
	question := filed.item.Question(forward)
	if offers := question.Offers(); !slices.Contains(offers, v.resolution) {
		return filed, errNotOffered.With("choices", wordsOf(offers)).With("item_id", filed.item.ID)
	}
	said, err := checkReference(ctx, s, question, v)
	if err != nil {
		return filed, err
	}
	filed.command = store.Command{
		ID: v.audit, Tenant: v.tenant, Activation: v.id, ItemID: filed.item.ID, Choice: v.resolution, Said: said,
		By: doer(ctx, v.mutation),
	}
	if err := s.FileCommand(ctx, filed.command); err != nil {
		return filed, err
	}
	if filed.workflow, err = heeding(ctx, s, a, filed.item); err != nil || filed.workflow != "" {
		return filed, err
	}
	if _, err := s.Resolve(ctx, filed.item, filed.command, store.Move{}); err != nil {
		return filed, err
	}
	filed.command.Outcome = store.OutcomeDone
	return filed, s.CommandTaken(ctx, filed.command, store.OutcomeDone)
}

func wordsOf(offers []mobile.Resolution) string {
	words := make([]string, 0, len(offers))
	for _, offer := range offers {
		words = append(words, string(offer))
	}
	return strings.Join(words, " ")
}

// findItem finds the open item that is meant: the one that is named, or else the only one.
func findItem(ctx context.Context, s *store.Store, v resolving) (mobile.Item, error) {
	whole, err := s.Activation(ctx, v.tenant, store.Key{ID: v.id})
	if err != nil {
		return mobile.Item{}, err
	}
	open := slices.DeleteFunc(whole.OpenItems(), func(i mobile.Item) bool { return v.item != "" && i.ID != v.item })
	switch len(open) {
	case 0:
		return mobile.Item{}, errNothingAsked
	case 1:
		return open[0], nil
	}
	ids := make([]string, 0, len(open))
	for _, item := range open {
		ids = append(ids, item.ID)
	}
	return mobile.Item{}, errWhichItem.With("item_ids", strings.Join(ids, " "))
}

// heeding is the Temporal workflow that waits for an answer to an item; empty when none does.
func heeding(ctx context.Context, s *store.Store, a mobile.Activation, item mobile.Item) (string, error) {
	switch item.Kind {
	case mobile.ItemNumberAtRisk, mobile.ItemMailNotDelivered, mobile.ItemInstallFailed, mobile.ItemOddEvent,
		mobile.ItemDoesNotWork:
		return "", nil
	case mobile.ItemStepStuck, mobile.ItemOutcomeUnknown, mobile.ItemStepRefused, mobile.ItemRunLost,
		mobile.ItemCarrierSilent, mobile.ItemTooManyRefusals, mobile.ItemPortRefused:
	}
	if item.FollowUp == "" {
		return a.WorkflowID, nil
	}
	f, err := s.FollowUp(ctx, a.Tenant, item.FollowUp)
	return f.WorkflowID, err
}

// checkReference reads what the partner calls the thing that was done.
func checkReference(ctx context.Context, s *store.Store, q mobile.Question, v resolving) (string, error) {
	var f form
	switch {
	case v.resolution != mobile.ResolutionDone:
		return "", nil
	case v.reference == "" && q.NeedsReference():
		f.refuse("reference", "REFERENCE_REQUIRED", "Name the ICCID that the SM-DP+ gave: without it nothing can be done with the eSIM.")
		return "", f.err()
	case v.reference != "" && !q.TakesReference():
		f.refuse("reference", "FIELD_NOT_ALLOWED", "This has no reference. Leave this field out.")
		return "", f.err()
	case !q.NeedsReference():
		return v.reference, nil
	}
	iccid, err := mobile.ParseICCID(v.reference)
	if err != nil {
		f.refuse("reference", "REFERENCE_MALFORMED", mobile.ErrICCID.Public)
		return "", f.err()
	}
	held, err := s.ICCIDHeld(ctx, iccid)
	if err == nil && held {
		return "", errReferenceInUse()
	}
	return string(iccid), err
}

func errReferenceInUse() error {
	var f form
	f.refuse("reference", "REFERENCE_IN_USE", "Another activation holds this eSIM. Ask the SM-DP+'s operator which one was given to this one.")
	return f.err()
}

// bringDecision tells the run, and waits until it has carried the decision out.
func (r *rpcs) bringDecision(ctx context.Context, v resolving, filed decisionFiled) (store.Command, error) {
	if r.runs == nil {
		return filed.command, errNotHeeded
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	changed, stop := r.watch.Subscribe(store.ActivationTopic(v.id))
	defer stop()
	err := r.runs.Resolve(ctx, workflows.Resolve{
		WorkflowID: filed.workflow, RequestID: v.requestID,
		Decision: workflows.ResolveAction{
			Command: filed.command.ID, Choice: v.resolution, Kind: filed.item.Kind, Step: filed.item.Step,
			Until: r.now().Add(commandTimeout),
		},
	})
	switch {
	case errors.Is(err, workflows.ErrNotApplicable):
		return filed.command, errOvertaken
	case errors.Is(err, workflows.ErrNoRun):
		return filed.command, errNoRunToHeed
	case err != nil:
		return filed.command, errNotHeeded.Because(err)
	}
	return r.carriedOut(ctx, v, filed.command, changed)
}

// carriedOut waits until the run has carried a decision out. One that it has and that takes
// longer is as good as done: the engine keeps it.
func (r *rpcs) carriedOut(ctx context.Context, v resolving, command store.Command, changed <-chan struct{}) (store.Command, error) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		err := r.db.InTenant(context.WithoutCancel(ctx), v.tenant, func(s *store.Store) (err error) {
			command, err = s.CommandOf(ctx, v.tenant, v.requestID)
			return err
		})
		if ctx.Err() != nil {
			return command, nil
		}
		if err != nil || command.Outcome != "" {
			return command, err
		}
		select {
		case <-changed:
		case <-again.C:
		case <-ctx.Done():
			return command, nil
		}
	}
}

// outcomeOf is the refusal that a command came to; nil when it was carried out, or will be.
func outcomeOf(c store.Command) error {
	switch c.Outcome {
	case store.OutcomeOvertaken:
		return errOvertaken
	case store.OutcomeRefused:
		return errReferenceInUse()
	case store.OutcomeDone:
	}
	return nil
}
