package workflows_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// faithful makes the test environment treat activities as the server does. By itself it ends
// one that is called off while an attempt is under way, tries one again that was called off
// between two attempts, and tells every attempt that it began with the first. Here a running
// attempt ends first and what it did counts, as WaitForCancellation promises, nothing is tried
// after that, and each attempt has its own beginning.
type faithful struct {
	interceptor.WorkerInterceptorBase

	// wake lets the run look again whether an attempt has ended.
	wake func()
	now  func() time.Time

	mu      sync.Mutex
	flying  sync.WaitGroup
	acts    map[string]*attempts
	counted int
	// gone tells that the worker is gone: nothing begins any more.
	gone bool
}

// attempts are those of one activity.
type attempts struct {
	running bool
	off     bool // it was called off
	wanted  bool // it is to be called off once the attempt has ended
}

// leave ends the worker and waits for what it has under way.
func (f *faithful) leave() {
	f.mu.Lock()
	f.gone = true
	f.mu.Unlock()
	f.flying.Wait()
}

func (f *faithful) begin(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	act := f.act(id)
	if f.gone || act.off {
		return false
	}
	act.running = true
	f.flying.Add(1)
	return true
}

func (f *faithful) end(id string, err error) {
	f.mu.Lock()
	act := f.act(id)
	app, known := errors.AsType[*temporal.ApplicationError](err)
	again := err != nil && (!known || !app.NonRetryable())
	wake := again && act.wanted && !f.gone
	if again {
		act.running = false
	}
	f.mu.Unlock()
	if wake {
		f.wake()
	}
	f.flying.Done()
}

// callOff tells whether an activity can be called off now.
func (f *faithful) callOff(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	act := f.act(id)
	act.wanted = true
	act.off = act.off || !act.running
	return act.off
}

func (f *faithful) act(id string) *attempts {
	if f.acts == nil {
		f.acts = make(map[string]*attempts)
	}
	if f.acts[id] == nil {
		f.acts[id] = &attempts{}
	}
	return f.acts[id]
}

func (f *faithful) name() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counted++
	return "act-" + strconv.Itoa(f.counted)
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (f *faithful) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &faithfulActivity{f: f}
	in.Next = next
	return in
}

type faithfulActivity struct {
	interceptor.ActivityInboundInterceptorBase

	f *faithful
}

// Init implements interceptor.ActivityInboundInterceptor.
func (a *faithfulActivity) Init(next interceptor.ActivityOutboundInterceptor) error {
	out := &faithfulInfo{}
	out.Next = next
	return a.Next.Init(out)
}

type faithfulInfo struct {
	interceptor.ActivityOutboundInterceptorBase
}

// GetInfo implements interceptor.ActivityOutboundInterceptor.
func (i *faithfulInfo) GetInfo(ctx context.Context) activity.Info {
	info := i.Next.GetInfo(ctx)
	if began, ok := ctx.Value(beganKey{}).(time.Time); ok {
		info.StartedTime = began
	}
	return info
}

// beganKey is where an attempt keeps when it began.
type beganKey struct{}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *faithfulActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	id := activity.GetInfo(ctx).ActivityID
	if !a.f.begin(id) {
		return nil, temporal.NewNonRetryableApplicationError("It was called off.", "CALLED_OFF", nil)
	}
	result, err := a.Next.ExecuteActivity(context.WithValue(ctx, beganKey{}, a.f.now()), in)
	a.f.end(id, err)
	return result, err
}

// InterceptWorkflow implements interceptor.WorkerInterceptor.
func (f *faithful) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &faithfulWorkflow{f: f}
	in.Next = next
	return in
}

type faithfulWorkflow struct {
	interceptor.WorkflowInboundInterceptorBase

	f *faithful
}

// Init implements interceptor.WorkflowInboundInterceptor.
func (w *faithfulWorkflow) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &faithfulCalls{f: w.f}
	out.Next = next
	return w.Next.Init(out)
}

type faithfulCalls struct {
	interceptor.WorkflowOutboundInterceptorBase

	f *faithful
}

// ExecuteActivity implements interceptor.WorkflowOutboundInterceptor.
func (c *faithfulCalls) ExecuteActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	if !options.WaitForCancellation {
		return c.Next.ExecuteActivity(ctx, activityType, args...)
	}
	options.ActivityID = c.f.name()
	inner, callOff := workflow.NewDisconnectedContext(ctx)
	inner = workflow.WithActivityOptions(inner, options)
	act := c.Next.ExecuteActivity(inner, activityType, args...)
	future, settable := workflow.NewFuture(ctx)
	workflow.Go(inner, func(inner workflow.Context) {
		_ = workflow.Await(inner, func() bool {
			return act.IsReady() || ctx.Err() != nil && c.f.callOff(options.ActivityID)
		})
		if !act.IsReady() {
			callOff()
		}
		settable.Chain(act)
	})
	return future
}
