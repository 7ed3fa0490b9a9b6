package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// What the customer says. Each act gets its verdict in one transaction that holds the
// activation, so that of two acts on the same question one is first.

// ErrNotOffered refuses an act that the question does not offer.
var ErrNotOffered = fault.New(fault.Conflict, "NOT_APPLICABLE",
	"This is not offered now. Read the prompt: its acts say what the customer may do.")

// Submission is an act of the customer as it arrives.
type Submission struct {
	ID         string
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	Act        mobile.CustomerAct
	// Revision is that of the prompt that was answered; 0 means any, for STOP_PORT only.
	Revision int64
	// Said is what was said for the donor, in normal form.
	Said mobile.PortingInfo
	// Action is what was done at the donor.
	Action mobile.DonorAction
	// Number and Donor are the other number, and where it is; an empty one stays as it is.
	Number string
	Donor  mobile.DonorCode
	// IMEI is the other phone.
	IMEI mobile.IMEI
	By   mobile.Doer
}

// Submit gives an act its verdict and, if that is ACCEPTED, files it for the run. The caller
// makes sure that a repeat of a request is told its first verdict (SubmissionVerdict). It
// refuses ErrNoPort, ErrNotOffered, ErrNumberBeingPorted, and the fields that are missing.
func (s *Store) Submit(ctx context.Context, sub Submission) (mobile.SubmissionVerdict, error) {
	a, err := s.lockActivation(ctx, sub.Tenant, sub.Activation)
	if err != nil {
		return "", err
	}
	port, err := s.Port(ctx, sub.Activation)
	if err != nil {
		return "", err
	}
	said, err := s.submissionsOf(ctx, port)
	if err != nil {
		return "", err
	}
	j := &judgement{s: s, sub: sub, a: a, port: port, before: said}
	verdict, err := j.verdict(ctx)
	if err != nil {
		return "", err
	}
	if err := j.keep(ctx, verdict); err != nil {
		return "", err
	}
	return verdict, nil
}

// SubmissionVerdict reads the verdict that an act got.
func (s *Store) SubmissionVerdict(ctx context.Context, tenant mobile.TenantID, id string) (v mobile.SubmissionVerdict, err error) {
	err = s.tx.QueryRow(ctx, `SELECT verdict FROM submissions WHERE tenant_id = @tenant AND submission_id = @id`,
		pgx.StrictNamedArgs{"tenant": tenant, "id": id}).Scan(&v)
	if err != nil {
		return "", fmt.Errorf("read the verdict on %s: %w", id, err)
	}
	return v, nil
}

// submission is one that was accepted, with what is kept of what it said.
type submission struct {
	mobile.Submission
	info    *mobile.PortingInfo
	digests map[mobile.PortingField]string
	content []byte
}

// submissionsOf reads what was accepted for a port, oldest first.
func (s *Store) submissionsOf(ctx context.Context, port mobile.Port) ([]submission, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT submission_id, activation_id, port_id, revision, act, verdict, imei, coalesce(other_port_id::text, ''), created_at,
		       taken_at, refused_at, info_sealed, digests, content
		FROM submissions
		WHERE port_id = @port AND verdict = 'ACCEPTED'
		ORDER BY created_at, submission_id`, pgx.StrictNamedArgs{"port": port.ID})
	if err != nil {
		return nil, fmt.Errorf("read what was said of %s: %w", port.ID, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (u submission, err error) {
		var taken, refused *time.Time
		var sealed []byte
		if err := row.Scan(&u.ID, &u.Activation, &u.Port, &u.Revision, &u.Act, &u.Verdict, &u.IMEI, &u.Other, &u.Created,
			&taken, &refused, &sealed, &u.digests, &u.content); err != nil {
			return u, err
		}
		u.Taken, u.Refused = value(taken), value(refused)
		u.info, err = s.openInfo(sealed, port.Tenant, u.ID)
		return u, err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was said of %s: %w", port.ID, err)
	}
	return all, nil
}

const infoLabel = "submission.info"

func (s *Store) openInfo(sealed []byte, tenant mobile.TenantID, id string) (*mobile.PortingInfo, error) {
	if sealed == nil {
		return nil, nil //nolint:nilnil // It said nothing for the donor, or that is erased.
	}
	plain, err := s.unseal(sealed, infoLabel, tenant, id)
	if err != nil {
		return nil, err
	}
	var info mobile.PortingInfo
	if err := json.Unmarshal([]byte(plain), &info); err != nil {
		return nil, errors.New("what was said for a donor cannot be read")
	}
	return &info, nil
}

// judgement is one act being judged.
type judgement struct {
	s      *Store
	sub    Submission
	a      mobile.Activation
	port   mobile.Port
	before []submission
	// merged is all that is held for the donor with what was said now; nil when nothing was.
	merged *mobile.PortingInfo
	other  mobile.PortID
}

func exits(act mobile.CustomerAct) bool {
	return act == mobile.ActKeepNewNumber || act == mobile.ActStopPort
}

// verdict judges. The order matters: what was said before holds, then it may be too late, then
// the question may be another.
func (j *judgement) verdict(ctx context.Context) (mobile.SubmissionVerdict, error) {
	if v := j.late(); v != "" {
		return v, nil
	}
	revision := int64(0)
	if j.port.Prompt != nil {
		revision = j.port.Prompt.Revision
	}
	if j.sub.Revision > revision {
		return "", fault.InvalidFields([]fault.Violation{{
			Field: "revision", Reason: "REVISION_UNKNOWN", Text: "There is no such revision yet. Read the prompt and name its revision.",
		}})
	}
	if exits(j.sub.Act) {
		return j.exit(revision)
	}
	if j.port.Prompt != nil && j.sub.Revision == revision &&
		!slices.Contains(mobile.CustomerActs(j.port.Prompt.Kind, mobile.PortAwaitingInfo), j.sub.Act) {
		return "", ErrNotOffered // also not by the question that was last asked
	}
	if j.sub.Revision < revision || !j.port.Prompt.Open() {
		return j.past(ctx)
	}
	if !slices.Contains(mobile.CustomerActs(j.port.Prompt.Kind, j.port.State), j.sub.Act) {
		return "", ErrNotOffered
	}
	return j.answer(ctx)
}

// late tells whether nothing that the customer says can change anything any more.
func (j *judgement) late() mobile.SubmissionVerdict {
	for _, b := range j.before {
		if exits(b.Act) {
			if b.Act == j.sub.Act {
				return mobile.VerdictDuplicate
			}
			return mobile.VerdictTooLate
		}
	}
	if j.a.State.Final() || j.a.State == mobile.StateUndoing || !j.a.CancelRequested.IsZero() || !j.a.Live.IsZero() ||
		j.port.State.Closed() || j.port.State == mobile.PortCancelling || j.port.State == mobile.PortConfirmed {
		return mobile.VerdictTooLate
	}
	return ""
}

func (j *judgement) exit(revision int64) (mobile.SubmissionVerdict, error) {
	asked := mobile.PromptNone
	if j.port.Prompt.Open() {
		asked = j.port.Prompt.Kind
	}
	switch {
	case !slices.Contains(mobile.CustomerActs(asked, j.port.State), j.sub.Act):
		return "", ErrNotOffered
	case j.sub.Revision != revision && (j.sub.Act != mobile.ActStopPort || j.sub.Revision != 0):
		return mobile.VerdictStale, nil
	}
	return mobile.VerdictAccepted, nil
}

// past judges an answer to a question that is answered already, or that is not asked any more.
func (j *judgement) past(ctx context.Context) (mobile.SubmissionVerdict, error) {
	if j.sub.Act == mobile.ActChangeNumber {
		return j.changedAlready(ctx)
	}
	if len(j.before) > 0 {
		last := j.before[len(j.before)-1]
		if last.Revision == j.sub.Revision && last.Act == j.sub.Act && bytes.Equal(last.content, j.content()) {
			return mobile.VerdictDuplicate, nil
		}
	}
	return mobile.VerdictStale, nil
}

// changedAlready knows a change of the number that was made before by the port that it made.
func (j *judgement) changedAlready(ctx context.Context) (mobile.SubmissionVerdict, error) {
	var made bool
	err := j.s.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM submissions WHERE other_port_id = @port AND revision = @revision AND verdict = 'ACCEPTED')`,
		pgx.StrictNamedArgs{"port": j.port.ID, "revision": j.sub.Revision}).Scan(&made)
	switch {
	case err != nil:
		return "", fmt.Errorf("look who changed the number of %s: %w", j.sub.Activation, err)
	case made && (j.sub.Number == "" || j.sub.Number == j.port.Number) && (j.sub.Donor == "" || j.sub.Donor == j.port.Donor):
		return mobile.VerdictDuplicate, nil
	}
	return mobile.VerdictStale, nil
}

// answer judges an answer to the question that is open.
func (j *judgement) answer(ctx context.Context) (mobile.SubmissionVerdict, error) {
	switch j.sub.Act {
	case mobile.ActSubmitPortingInfo:
		return j.info()
	case mobile.ActConfirmDonorAction:
		return j.donorAction()
	case mobile.ActChangeNumber:
		return mobile.VerdictAccepted, j.changeNumber(ctx)
	case mobile.ActChangeDevice:
		if j.sub.IMEI == j.a.IMEI {
			return mobile.VerdictUnchanged, nil // the network has just refused it
		}
	case mobile.ActKeepNewNumber, mobile.ActStopPort:
	}
	return mobile.VerdictAccepted, nil
}

// held is what the customer has given for this port so far.
func (j *judgement) held() mobile.PortingInfo {
	for _, b := range slices.Backward(j.before) {
		if b.info != nil {
			return *b.info
		}
	}
	return mobile.PortingInfo{}
}

func (j *judgement) info() (mobile.SubmissionVerdict, error) {
	merged := j.held().Merge(j.sub.Said)
	j.merged = &merged
	if missing := j.missing(merged); len(missing) > 0 {
		return "", fault.InvalidFields(missing)
	}
	if j.port.Prompt.Kind != mobile.PromptCorrectInfo {
		return mobile.VerdictAccepted, nil
	}
	var refused []map[mobile.PortingField]string
	for _, b := range j.before {
		if !b.Refused.IsZero() && b.digests != nil {
			refused = append(refused, b.digests)
		}
	}
	if mobile.Unchanged(mobile.PortReason(j.port.Prompt.Reason), j.s.fieldDigests(j.port, merged), refused) {
		return mobile.VerdictUnchanged, nil
	}
	return mobile.VerdictAccepted, nil
}

// missing lists what the question asks for and is not there. What was refused may not be left
// out: the donor would say the same again.
func (j *judgement) missing(merged mobile.PortingInfo) (all []fault.Violation) {
	for _, field := range merged.Missing(j.port.Prompt.Fields) {
		all = append(all, fault.Violation{Field: "us." + string(field), Reason: "FIELD_REQUIRED", Text: "This is needed to bring the number."})
	}
	return all
}

func (j *judgement) donorAction() (mobile.SubmissionVerdict, error) {
	if j.sub.Action != j.port.Prompt.Action {
		return "", fault.InvalidFields([]fault.Violation{{
			Field: "action", Reason: "ACTION_NOT_ASKED", Text: "The prompt asks for another action: name its donor_action.",
		}})
	}
	merged := j.held()
	if j.sub.Action == mobile.ActionLineReactivated {
		merged.NumberInService = new(true)
	}
	j.merged = &merged
	return mobile.VerdictAccepted, nil
}

// changeNumber makes the port of the other number, which takes this one's place.
func (j *judgement) changeNumber(ctx context.Context) error {
	next := mobile.Port{
		ID: mobile.PortID(uuid.Must(uuid.NewV7()).String()), Tenant: j.sub.Tenant, Activation: j.sub.Activation,
		Number: j.port.Number, Donor: j.port.Donor,
	}
	if j.sub.Number != "" {
		next.Number = j.sub.Number
	}
	if j.sub.Donor != "" {
		next.Donor = j.sub.Donor
	}
	after := j.port
	after.ReplacedBy = next.ID
	if err := j.s.savePort(ctx, j.a, j.port, after); err != nil {
		return err
	}
	j.other = next.ID
	return j.s.InsertPort(ctx, next)
}

// content is an HMAC of what was said, to know the same again.
func (j *judgement) content() []byte {
	fields := []string{string(j.port.ID), string(j.sub.Act), string(j.sub.Action), j.sub.Number, string(j.sub.Donor), string(j.sub.IMEI)}
	for _, field := range mobile.PortingFields() {
		fields = append(fields, j.sub.Said.Value(field))
	}
	return j.s.sealer.Digest("submission", fields...)
}

// fieldDigests are HMACs of the values that are there, by field, bound to the port.
func (s *Store) fieldDigests(port mobile.Port, info mobile.PortingInfo) map[mobile.PortingField]string {
	all := make(map[mobile.PortingField]string)
	for _, field := range mobile.PortingFields() {
		if v := info.Value(field); v != "" {
			all[field] = hex.EncodeToString(s.sealer.Digest("submission.field", string(port.ID), string(field), v))
		}
	}
	return all
}

// keep keeps the verdict, and what was said when it was accepted.
func (j *judgement) keep(ctx context.Context, verdict mobile.SubmissionVerdict) error {
	args := pgx.StrictNamedArgs{
		"id": j.sub.ID, "tenant": j.sub.Tenant, "activation": j.sub.Activation, "port": j.port.ID, "revision": j.sub.Revision,
		"act": j.sub.Act, "verdict": verdict, "info": nil, "digests": nil, "content": nil, "imei": j.sub.IMEI,
		"other": emptyNull(string(j.other)), "principal": j.sub.By.Principal, "actor": j.sub.By.Actor, "request": j.sub.By.RequestID,
		"now": j.s.now,
	}
	if verdict == mobile.VerdictAccepted {
		args["content"] = j.content()
		if err := j.sealInfo(args); err != nil {
			return err
		}
	}
	if _, err := j.s.exec(ctx, `
		INSERT INTO submissions (submission_id, tenant_id, activation_id, port_id, revision, act, verdict, info_sealed, digests,
		                         content, imei, other_port_id, principal, actor, request_id, created_at)
		VALUES (@id, @tenant, @activation, @port, @revision, @act, @verdict, @info, @digests, @content, @imei, @other, @principal,
		        @actor, @request, @now)`, args); err != nil {
		return fmt.Errorf("keep a submission of %s: %w", j.sub.Activation, err)
	}
	if verdict != mobile.VerdictAccepted {
		return nil
	}
	return j.accepted(ctx)
}

func (j *judgement) sealInfo(args pgx.StrictNamedArgs) error {
	if j.merged == nil {
		return nil
	}
	plain, err := json.Marshal(j.merged)
	if err != nil {
		return errors.New("what was said for a donor cannot be written")
	}
	if args["info"], err = j.s.seal(string(plain), infoLabel, j.sub.Tenant, j.sub.ID); err != nil {
		return err
	}
	digests, err := json.Marshal(j.s.fieldDigests(j.port, *j.merged))
	args["digests"] = digests
	return err
}

// accepted answers the question and tells the run.
func (j *judgement) accepted(ctx context.Context) error {
	if err := j.s.closePrompts(ctx, j.sub.Activation); err != nil {
		return err
	}
	if err := j.pinClock(ctx); err != nil {
		return err
	}
	if err := j.s.stirPorts(ctx, j.sub.Activation); err != nil {
		return err
	}
	if err := j.s.touch(ctx, j.sub.Activation, touchRevision); err != nil {
		return err
	}
	return j.s.file(ctx, j.a, outboxIntake)
}

// pinClock notes until when the donor takes the PIN: its time runs from the day on which it was
// made, or, when that was not said, from when we first got it.
func (j *judgement) pinClock(ctx context.Context) error {
	if j.merged == nil || j.sub.Act != mobile.ActSubmitPortingInfo {
		return nil
	}
	held := j.held()
	if j.merged.Value(mobile.FieldPIN) == held.Value(mobile.FieldPIN) && j.merged.PINMakeDate == held.PINMakeDate {
		return nil
	}
	donor, _ := mobile.DonorByCode(j.port.Donor)
	after := j.port
	after.PINExpires = donor.PINExpires(j.merged.PINMade(j.s.now))
	if j.merged.PIN == "" {
		after.PINExpires = time.Time{}
	}
	return j.s.savePort(ctx, j.a, j.port, after)
}

// Answer reads what the customer has said to a port and the run has not taken up: giving the
// port up before all else. It gives nil when there is nothing.
func (s *Store) Answer(ctx context.Context, port mobile.Port) (*mobile.Submission, error) {
	said, err := s.submissionsOf(ctx, port)
	if err != nil {
		return nil, err
	}
	said = slices.DeleteFunc(said, func(u submission) bool { return !u.Taken.IsZero() })
	if len(said) == 0 {
		return nil, nil //nolint:nilnil // The customer has said nothing new, which is no error.
	}
	latest := said[len(said)-1].Submission
	for _, u := range said {
		if exits(u.Act) {
			latest = u.Submission
		}
	}
	return &latest, nil
}

// TakeAnswer says that the run has taken up an act of the customer. Another phone is the
// activation's from then on. Twice is once.
func (s *Store) TakeAnswer(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, submission string) error {
	a, err := s.lockActivation(ctx, tenant, id)
	if err != nil {
		return err
	}
	var imei mobile.IMEI
	err = s.tx.QueryRow(ctx, `
		UPDATE submissions
		SET taken_at = coalesce(taken_at, @now)
		WHERE activation_id = @activation AND submission_id = @id
		RETURNING imei`, pgx.StrictNamedArgs{"activation": id, "id": submission, "now": s.now}).Scan(&imei)
	if err != nil {
		return fmt.Errorf("take up submission %s: %w", submission, err)
	}
	if err := s.stirPorts(ctx, id); err != nil {
		return err
	}
	if imei != "" {
		if err := s.ChangeDevice(ctx, tenant, a.ID, imei); err != nil {
			return err
		}
	}
	return s.touch(ctx, a.ID, touchTime)
}

// PortingInfo reads what the donor is to get: the latest that the customer gave for a port, and
// under which revision. It refuses ErrNoPortingInfo before there is any, and after erasure.
func (s *Store) PortingInfo(ctx context.Context, port mobile.Port) (info mobile.PortingInfo, revision int64, err error) {
	said, err := s.submissionsOf(ctx, port)
	if err != nil {
		return info, 0, err
	}
	for _, u := range slices.Backward(said) {
		if u.info != nil {
			return *u.info, u.Revision, nil
		}
	}
	return info, 0, ErrNoPortingInfo
}

// Unsent tells whether the donor has not refused what the customer gave last.
func (s *Store) Unsent(ctx context.Context, port mobile.Port) (bool, error) {
	said, err := s.submissionsOf(ctx, port)
	if err != nil {
		return false, err
	}
	for _, u := range slices.Backward(said) {
		if u.info != nil {
			return u.Refused.IsZero(), nil
		}
	}
	return false, nil
}

// NewNumber tells whether the customer takes a new number instead, and the run has taken that up.
func (s *Store) NewNumber(ctx context.Context, port mobile.Port) (bool, error) {
	said, err := s.submissionsOf(ctx, port)
	return slices.ContainsFunc(said, func(u submission) bool {
		return u.Act == mobile.ActKeepNewNumber && !u.Taken.IsZero()
	}), err
}

// RefuseHeld says of what the customer gave last that it would be refused: the same again is no
// answer.
func (s *Store) RefuseHeld(ctx context.Context, port mobile.Port, at time.Time) error {
	if _, err := s.exec(ctx, `
		UPDATE submissions
		SET refused_at = @at
		WHERE submission_id = (SELECT submission_id FROM submissions
		                       WHERE port_id = @port AND verdict = 'ACCEPTED' AND info_sealed IS NOT NULL
		                       ORDER BY created_at DESC, submission_id DESC LIMIT 1)
		  AND refused_at IS NULL`, pgx.StrictNamedArgs{"port": port.ID, "at": at}); err != nil {
		return fmt.Errorf("mark what is refused of %s: %w", port.ID, err)
	}
	return nil
}

// ErrNoPortingInfo says that the customer has given nothing for the donor, or that it is erased.
var ErrNoPortingInfo = fault.New(fault.Conflict, "NO_PORTING_INFO", "What the donor asks for is not there.")
