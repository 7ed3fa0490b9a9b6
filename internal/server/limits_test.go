package server_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestMessageTooLarge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tooLarge := refusal{Code: codes.InvalidArgument, Reason: "MESSAGE_TOO_LARGE"}

	request := launch("sub")
	request.GetMobileActivation().NameOverride = strings.Repeat("a", 65<<10)
	_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	wantRefusal(t, err, tooLarge)

	_, err = b.watchEvents(t, b.clients, b.a.billing(), 0, strings.Repeat("a", 65<<10)).Recv()
	wantRefusal(t, err, tooLarge)

	// Just under it, the fields are looked at.
	request.GetMobileActivation().NameOverride = strings.Repeat("a", 63<<10)
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	wantRefusal(t, err, invalid(map[string]string{"mobile_activation.name_override": "FIELD_TOO_LONG"}))

	// Beyond what the transport takes, gRPC itself refuses.
	request.GetMobileActivation().NameOverride = strings.Repeat("a", 2<<20)
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("two MiB: %v", err)
	}
}

// Whatever breaks in a handler is answered, told to operators, and safe to repeat.
func TestBroken(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, func(c *server.Config) {
		c.Nudge = func() {
			if broken {
				panic("the nudge is broken at 10.0.0.1")
			}
		}
	})
	request := launch(b.pending(t, b.a).ID)

	_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	got := refused(t, err)
	if got.Code != codes.Internal || got.Reason != "INTERNAL" || strings.Contains(err.Error(), "nudge") {
		t.Errorf("%v", err)
	}
	if incident := got.Meta["incident_id"]; incident == "" || !strings.Contains(b.logs.String(), incident) || !strings.Contains(b.logs.String(), "the nudge is broken") {
		t.Errorf("operators cannot find the incident %q", incident)
	}

	broken = false
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	must(t, err)
}

// A statement that fails tells the caller nothing of how the record is built.
func TestBroken_Statement(t *testing.T) {
	t.Parallel()
	b := setup(t)
	request := launch(b.pending(t, b.a).ID)
	_, err := b.Connect(t).Exec(t.Context(), `ALTER TABLE plans RENAME TO moved_plans`)
	must(t, err)

	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	if got := refused(t, err); got.Reason != "INTERNAL" || strings.Contains(err.Error(), "plans") || strings.Contains(err.Error(), "SQLSTATE") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(b.logs.String(), "SQLSTATE 42P01") {
		t.Error("operators are not told the cause")
	}
}

// The record is away: callers are told to come back, and by when.
func TestRecordAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	proxy := b.Proxy(t)
	behind := b.open(t, prometheus.NewRegistry(), func(c *server.Config) {
		c.DB = b.OpenThrough(t, proxy.Address(), storetest.Config{})
		c.Watch = c.DB.NewWatch()
	})
	request := launch(b.pending(t, b.a).ID)
	if _, err := behind.subscriptions.ListSubscriptions(as(t.Context(), b.a.billing()), nil); err != nil {
		t.Fatal(err)
	}

	proxy.Cut()
	_, err := behind.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	wantRefusal(t, err, refusal{Code: codes.Unavailable, Reason: "TRY_AGAIN"})
	retry := slices.ContainsFunc(status.Convert(err).Details(), func(detail any) bool {
		info, ok := detail.(*errdetails.RetryInfo)
		return ok && info.GetRetryDelay().AsDuration() > 0
	})
	if !retry || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("%v", err)
	}

	// Connections that died meanwhile are found out one by one: the caller comes again, as it
	// was told.
	proxy.Mend()
	for range 20 {
		if _, err = behind.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request); status.Code(err) != codes.Unavailable {
			break
		}
	}
	must(t, err)
}

// The caller's own deadline is over: it hears so from its own side, and nothing is lost.
func TestDeadline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.Connect(t)
	sub := b.pending(t, b.a)
	tx, err := conn.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM subscriptions WHERE subscription_id = $1 FOR UPDATE`, sub.ID)
	must(t, err)
	request := launch(sub.ID)

	ctx, cancel := context.WithTimeout(as(t.Context(), b.a.billing()), 100*time.Millisecond)
	defer cancel()
	_, err = b.workflows.LaunchWorkflow(ctx, request)
	if status.Code(err) != codes.DeadlineExceeded && status.Code(err) != codes.Unavailable {
		t.Errorf("%v", err)
	}

	must(t, tx.Rollback(t.Context()))
	_, err = b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
	must(t, err)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	away := b.open(t, prometheus.NewRegistry(), func(c *server.Config) {
		c.Ready = func(context.Context) error { return errors.New("the engine's namespace is missing") }
	})
	for _, service := range []string{"", "dialtone.v1.WorkflowService", "dialtone.v1.AdminService"} {
		if got := settled(t, b.conn, service, healthv1.HealthCheckResponse_SERVING); got != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q is %s", service, got)
		}
		if got := settled(t, away.conn, service, healthv1.HealthCheckResponse_NOT_SERVING); got != healthv1.HealthCheckResponse_NOT_SERVING {
			t.Errorf("%q is %s while the process is not ready", service, got)
		}
	}
	_, err := healthv1.NewHealthClient(b.conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "absent"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("%v", err)
	}
	// A drain says so before the door closes.
	watch, err := healthv1.NewHealthClient(b.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	must(t, err)
	_, err = watch.Recv()
	must(t, err)
	b.front.stop()
	if got, err := watch.Recv(); err == nil && got.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("while draining: %v", got)
	}
}

// settled watches until the health is what is wanted, or for as long as the test may take.
func settled(t *testing.T, conn *grpc.ClientConn, service string, want healthv1.HealthCheckResponse_ServingStatus) healthv1.HealthCheckResponse_ServingStatus {
	t.Helper()
	watch, err := healthv1.NewHealthClient(conn).Watch(t.Context(), &healthv1.HealthCheckRequest{Service: service})
	must(t, err)
	for {
		response, err := watch.Recv()
		must(t, err)
		if response.GetStatus() == want {
			return want
		}
	}
}

func TestReflection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	open := b.open(t, prometheus.NewRegistry(), func(c *server.Config) { c.Reflection = true })
	list := func(c clients) (*reflectionv1.ServerReflectionResponse, error) {
		stream, err := reflectionv1.NewServerReflectionClient(c.conn).ServerReflectionInfo(t.Context())
		must(t, err)
		err = stream.Send(&reflectionv1.ServerReflectionRequest{
			MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
		})
		if err != nil && !errors.Is(err, io.EOF) { // io.EOF: the answer is to be read.
			t.Fatal(err)
		}
		return stream.Recv()
	}

	if _, err := list(b.clients); status.Code(err) != codes.Unimplemented {
		t.Errorf("not configured: %v", err)
	}
	response, err := list(open.clients)
	must(t, err)
	if len(response.GetListServicesResponse().GetService()) < 5 {
		t.Errorf("%v", response)
	}
}

// A call that has begun is answered, also when the process goes down meanwhile.
func TestDrain_AnswersWhatHasBegun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	front := b.open(t, prometheus.NewRegistry())
	sub := b.pending(t, b.a)
	tx, err := b.Connect(t).Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM subscriptions WHERE subscription_id = $1 FOR UPDATE`, sub.ID)
	must(t, err)
	answered := make(chan error, 1)
	go func() {
		_, err := front.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), launch(sub.ID))
		answered <- err
	}()
	b.awaitBlocked(t)

	stopped := make(chan struct{})
	go func() { front.stop(); close(stopped) }()
	must(t, tx.Rollback(t.Context()))

	must(t, <-answered)
	<-stopped
}

// awaitBlocked returns once a transaction of this database waits for another.
func (b *bundle) awaitBlocked(t *testing.T) {
	t.Helper()
	conn := b.Connect(t)
	for waiting := false; !waiting; {
		must(t, conn.QueryRow(t.Context(), `
			SELECT EXISTS (SELECT FROM pg_stat_activity
			               WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waiting))
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.subscriptions.ListSubscriptions(as(t.Context(), b.a.billing()), &dialtonev1.ListSubscriptionsRequest{})
	must(t, err)
	_, err = b.subscriptions.GetSubscription(as(t.Context(), b.a.billing()), &dialtonev1.GetSubscriptionRequest{SubscriptionId: "absent"})
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"})

	text := b.measured(t)
	for _, want := range []string{
		`dialtone_grpc_calls_total{code="OK",method="dialtone.v1.SubscriptionService/ListSubscriptions",reason=""} 1`,
		`dialtone_grpc_calls_total{code="NotFound",method="dialtone.v1.SubscriptionService/GetSubscription",reason="SUBSCRIPTION_NOT_FOUND"} 1`,
		`dialtone_grpc_call_seconds_count{method="dialtone.v1.SubscriptionService/ListSubscriptions"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s:\n%s", want, text)
		}
	}
}
