package activities

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Interceptor puts the diary and the frontier around every activity of a worker.
type Interceptor struct {
	interceptor.WorkerInterceptorBase
	diary diary
}

// NewInterceptor makes the interceptor of a worker. It is where activities are logged, and
// the only place.
func NewInterceptor(db *store.DB, logger *slog.Logger) *Interceptor {
	if db == nil || logger == nil {
		panic("activities.NewInterceptor needs the record and a logger")
	}
	return &Interceptor{diary: diary{db: db, logger: logger}}
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (i *Interceptor) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	d := i.diary
	d.Next = next
	return &d
}

// diary writes each attempt at a step into the record.
type diary struct {
	interceptor.ActivityInboundInterceptorBase
	db     *store.DB
	logger *slog.Logger
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (d *diary) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	ref := reference(in.Args)
	page := &page{}
	if err := d.begin(ctx, ref, info); err != nil {
		return nil, d.outward(ref, info, err)
	}
	result, err := d.Next.ExecuteActivity(context.WithValue(ctx, pageKey{}, page), in)
	if written := d.end(ctx, ref, info, page, err); written != nil && (err == nil || final(err)) {
		// The act is settled, but the record does not say so: the repeat will find it settled.
		return nil, d.outward(ref, info, written)
	}
	return result, d.outward(ref, info, err)
}

// reference reads the Ref of an activity's input; zero when it has none.
func reference(args []any) Ref {
	if len(args) == 0 {
		return Ref{}
	}
	if in, ok := args[0].(interface{ about() Ref }); ok {
		return in.about()
	}
	return Ref{}
}

// begin says that an attempt is under way.
func (d *diary) begin(ctx context.Context, ref Ref, info activity.Info) error {
	if !ref.shown() || ref.Part == PartUndo || ref.Part == PartAwait {
		return nil
	}
	return d.write(ctx, ref, store.Attempt{State: mobile.StepRunning, Counts: true, At: info.StartedTime})
}

// end says what the attempt came to.
func (d *diary) end(ctx context.Context, ref Ref, info activity.Info, page *page, err error) error {
	if !ref.shown() {
		return nil
	}
	attempt := store.Attempt{State: mobile.StepDone, Detail: page.detail, Undo: ref.Part == PartUndo, At: info.StartedTime}
	switch {
	case errors.Is(err, store.ErrCancelCameFirst), errors.Is(err, errFenced):
		// No outcome of the step: it is given back next, or a later attempt has its own.
		return nil
	case err == nil && (ref.Part == PartFirst || page.goesOn):
		attempt.State, attempt.Through = mobile.StepRunning, true
	case err == nil && ref.Part == PartUndo:
		attempt.State = mobile.StepUndone
	case err == nil:
	case errors.Is(err, errComingUp), errors.Is(err, errAtDonor):
		attempt.State, attempt.NextTry = mobile.StepWaiting, nextTry(info, err)
		attempt.Detail = fault.Of(err).Public
	case errors.Is(err, errLookLater):
		attempt.State, attempt.Reason, attempt.NextTry = mobile.StepWaiting, reasonOf(err), nextTry(info, err)
	case errors.Is(err, ErrOutcomeUnknown):
		attempt.State, attempt.Reason = mobile.StepWaiting, reasonOf(err)
	case ref.Part == PartUndo:
		attempt.State, attempt.Reason, attempt.NextTry = mobile.StepRetrying, reasonOf(err), nextTry(info, err)
	case final(err):
		attempt.State, attempt.Reason = mobile.StepRefused, reasonOf(err)
	default:
		attempt.State, attempt.Reason, attempt.NextTry = mobile.StepRetrying, reasonOf(err), nextTry(info, err)
	}
	// A look that finds the line coming up is no try; one that fails is.
	attempt.Counts = ref.Part == PartAwait && attempt.State == mobile.StepRetrying
	// The verdict of an attempt is worth writing also when the attempt was called off.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return d.write(ctx, ref, attempt)
}

// recordTimeout bounds a write to the record after the act: longer than a statement may
// take, and short enough to end before the activity's own timeout.
const recordTimeout = 6 * time.Second

func (d *diary) write(ctx context.Context, ref Ref, attempt store.Attempt) error {
	attempt.Tenant, attempt.Activation, attempt.Step = ref.Tenant, ref.Activation, ref.Step
	attempt.Deadline = ref.Deadline
	return d.db.InTenant(ctx, ref.Tenant, func(s *store.Store) error { return s.RecordAttempt(ctx, attempt) })
}

// outward logs an error with its cause, once, and sends its public face to the engine.
func (d *diary) outward(ref Ref, info activity.Info, err error) error {
	if err == nil || benign(err) {
		return Outward(err)
	}
	level := slog.LevelWarn
	if fault.Of(err) == nil && mobile.VerdictOf(err) == mobile.VerdictUnknown {
		level = slog.LevelError
	}
	d.logger.Log(context.Background(), level, "an attempt failed", //nolint:forbidigo // Logging outlives the attempt's own context.
		"activity", info.ActivityType.Name, "attempt", info.Attempt, "activation_id", ref.Activation,
		"tenant", ref.Tenant, "reason", reasonOf(err), "causes", causes(err))
	return Outward(err)
}

// nextTry tells when the engine tries again: as it was asked to, else by the retry policy.
func nextTry(info activity.Info, err error) time.Time {
	wait := retryAfter(err)
	if wait == 0 && info.RetryPolicy != nil {
		p := info.RetryPolicy
		wait = time.Duration(float64(p.InitialInterval) * math.Pow(p.BackoffCoefficient, float64(info.Attempt-1)))
		if wait > p.MaximumInterval || wait <= 0 {
			wait = p.MaximumInterval
		}
	}
	return info.StartedTime.Add(wait)
}

// page is where an act leaves a word about itself for people. It goes into the record only,
// never into the engine's history.
type page struct {
	detail string
	goesOn bool
}

type pageKey struct{}

// say leaves a word about the act for people: "(212) 555-0123 is live".
func say(ctx context.Context, detail string) {
	if p, ok := ctx.Value(pageKey{}).(*page); ok {
		p.detail = detail
	}
}

// goesOn says that the step goes on although its act has succeeded.
func goesOn(ctx context.Context) {
	if p, ok := ctx.Value(pageKey{}).(*page); ok {
		p.goesOn = true
	}
}
