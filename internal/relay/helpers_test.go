package relay_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/relay"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// never is a pass interval that no test waits for.
const never = time.Hour

// told is one thing that the engine was told.
type told struct {
	workflow string
	intake   string // empty for a start
}

// engine pretends Temporal at the relay's interface. It remembers what it has taken, in
// order, and answers what its answer says.
type engine struct {
	mu     sync.Mutex
	taken  []told
	answer func(context.Context, told) error
	calls  chan told

	// there is the run of each workflow that is there now; starts and ends are what was
	// started and terminated.
	there  map[string]string
	starts []workflows.Start
	ends   []workflows.Terminate
	// shows is asked before a look is answered; looks has each look that was answered.
	shows func(context.Context, string) error
	looks chan string
}

func newEngine() *engine {
	return &engine{
		calls: make(chan told, 10_000), answer: func(context.Context, told) error { return nil },
		looks: make(chan string, 10_000), shows: func(context.Context, string) error { return nil },
		there: make(map[string]string),
	}
}

// answers changes what the engine answers from now on.
func (e *engine) answers(answer func(context.Context, told) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

// Start implements relay.Engine.
func (e *engine) Start(ctx context.Context, s workflows.Start) error {
	err := e.take(ctx, told{workflow: s.WorkflowID})
	if err == nil {
		e.begin(s)
	}
	return err
}

// Wake implements relay.Engine.
func (e *engine) Wake(ctx context.Context, w workflows.Wake) error {
	return e.take(ctx, told{workflow: w.WorkflowID, intake: w.IntakeID})
}

func (e *engine) take(ctx context.Context, what told) error {
	e.mu.Lock()
	answer := e.answer
	e.mu.Unlock()
	err := answer(ctx, what)
	if err == nil {
		e.mu.Lock()
		e.taken = append(e.taken, what)
		e.mu.Unlock()
	}
	e.calls <- what
	return err
}

// wait returns once the engine has answered n more calls, and gives them.
func (e *engine) wait(t *testing.T, n int) []told {
	t.Helper()
	var all []told
	for range n {
		select {
		case what := <-e.calls:
			all = append(all, what)
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
	return all
}

func (e *engine) has() []told {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]told(nil), e.taken...)
}

// bundle is a relay with what is around it.
type bundle struct {
	*relay.Relay
	db       *store.DB
	registry *prometheus.Registry
	log      *bytes.Buffer
	// stop ends the relay and returns once it has ended.
	stop func()
}

// run makes a relay and lets it work until the test ends.
func run(t *testing.T, db *store.DB, e relay.Engine, every time.Duration) bundle {
	t.Helper()
	return start(t, relay.Config{DB: db, Engine: e, Every: every})
}

// look is run for a relay that looks as often as that.
func look(t *testing.T, db *store.DB, e relay.Engine, every time.Duration) bundle {
	t.Helper()
	return start(t, relay.Config{DB: db, Engine: e, Every: never, LookEvery: every})
}

func start(t *testing.T, config relay.Config) bundle {
	t.Helper()
	b := bundle{db: config.DB, registry: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	watch := b.db.NewWatch()
	config.Watch, config.Registry, config.Logger = watch, b.registry, slog.New(slog.NewJSONHandler(b.log, nil))
	b.Relay = relay.New(config)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { watch.Run(ctx, nil) })
	running.Go(func() { b.Run(ctx) })
	b.stop = func() { cancel(); running.Wait() }
	t.Cleanup(b.stop)
	return b
}

// metric reads a metric's value, summed over its labels.
func (b bundle) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := b.registry.Gather()
	must(t, err)
	var sum float64
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wake files a wake-up of an activation's run.
func wake(t *testing.T, db *store.DB, a mobile.Activation) {
	t.Helper()
	must(t, db.InSystem(t.Context(), func(s *store.Store) error { return s.WakeRun(t.Context(), a.ID) }))
}

// left counts the messages that the engine does not have.
func left(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM outbox WHERE done_at IS NULL`).Scan(&n))
	return n
}

func exec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), statement)
	must(t, err)
}

// inOrder checks that each run was started first, once, and then woken in the order in
// which its wake-ups were filed, each once.
func inOrder(t *testing.T, conn *pgx.Conn, taken []told) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		SELECT a.workflow_id, CASE o.kind WHEN 'START' THEN '' ELSE o.intake_id::text END
		FROM outbox o
		JOIN activations a USING (activation_id)
		ORDER BY o.outbox_id`)
	must(t, err)
	want := map[string][]string{}
	for rows.Next() {
		var workflow, intake string
		must(t, rows.Scan(&workflow, &intake))
		want[workflow] = append(want[workflow], intake)
	}
	must(t, rows.Err())
	got := map[string][]string{}
	for _, what := range taken {
		got[what.workflow] = append(got[what.workflow], what.intake)
	}
	for workflow, intakes := range want {
		if len(got[workflow]) != len(intakes) {
			t.Errorf("%s was told %d times, want %d", workflow, len(got[workflow]), len(intakes))
			continue
		}
		for i, intake := range intakes {
			if got[workflow][i] != intake {
				t.Errorf("%s was told %q at place %d, want %q", workflow, got[workflow][i], i, intake)
			}
		}
	}
}
