package server_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func stop(a mobile.Activation, revision int64) *dialtonev1.StopPortRequest {
	return &dialtonev1.StopPortRequest{RequestId: uuid.NewString(), ActivationId: string(a.ID), Revision: revision}
}

// A port can be stopped until the donor has agreed: while something is asked, and while
// nothing is.
func TestStopPort(t *testing.T) {
	t.Parallel()
	b := setup(t)
	quiet, asked, submitted, refused := b.bringing(t, b.a, 1), b.askedFirst(t, b.a, 2), b.bringing(t, b.a, 3), b.refusedFor(t, b.a, 4, mobile.PortPINInvalid)
	b.sent(t, submitted)
	confirmed, moved := b.bringing(t, b.a, 5), b.bringing(t, b.a, 6)
	b.sent(t, confirmed)
	b.said(t, confirmed, store.PortWord{Word: mobile.WordConfirmed, Due: today().Add(time.Hour)}, false)
	b.sent(t, moved)
	b.said(t, moved, store.PortWord{Word: mobile.WordCompleted}, false)

	for name, c := range map[string]struct {
		request *dialtonev1.StopPortRequest
		want    dialtonev1.SubmissionVerdict
	}{
		"nothing asked":  {stop(quiet, 0), isAccepted},
		"any revision":   {stop(asked, 0), isAccepted},
		"at the carrier": {stop(submitted, 0), isAccepted},
		"confirmed":      {stop(confirmed, 0), isTooLate},
		"moved":          {stop(moved, 0), isTooLate},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := b.portals.StopPort(as(t.Context(), b.a.backend()), c.request)
			must(t, err)
			if response.GetVerdict() != c.want || response.GetMessage() == "" {
				t.Errorf("%v, want %s", response, c.want)
			}
		})
	}
	for _, c := range []struct {
		revision int64
		want     dialtonev1.SubmissionVerdict
	}{{1, isStale}, {2, isAccepted}, {2, isDuplicate}, {0, isDuplicate}} {
		response, err := b.portals.StopPort(as(t.Context(), b.link(t, refused)), stop(refused, c.revision))
		must(t, err)
		if response.GetVerdict() != c.want {
			t.Errorf("%d: %s, want %s", c.revision, response.GetVerdict(), c.want)
		}
	}
	_, err := b.portals.StopPort(as(t.Context(), b.a.backend()), stop(b.launched(t, b.a), 0))
	wantRefusal(t, err, refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE"})
	_, err = b.portals.StopPort(as(t.Context(), b.a.backend()), stop(refused, -1))
	wantRefusal(t, err, invalid(map[string]string{"revision": "FIELD_MALFORMED"}))
	// The run does the rest: the record waits for it.
	if now := storetest.Read(t, b.DB, refused); now.State.Final() || now.Port.State.Closed() {
		t.Errorf("it is %s, and its port %s", now.State, now.Port.State)
	}
}

// A stop and an answer at the same moment are both heard, one after the other: no answer is
// taken after a stop.
func TestStopPort_AndAnswerAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.askedFirst(t, b.a, 1)
	var all sync.WaitGroup
	all.Go(func() {
		response, err := b.portals.StopPort(as(t.Context(), b.a.backend()), stop(a, 0))
		if err != nil || response.GetVerdict() != isAccepted {
			t.Errorf("the stop is %v, %v", response, err)
		}
	})
	all.Go(func() {
		response, err := b.portals.SubmitPortingInfo(as(t.Context(), b.a.backend()), given(a))
		if err != nil || response.GetVerdict() != isAccepted && response.GetVerdict() != isTooLate {
			t.Errorf("the answer is %v, %v", response, err)
		}
	})
	all.Wait()

	if p := b.page(t, b.a, a).GetPrompt(); p.GetKind() != none || len(p.GetActs()) != 0 {
		t.Errorf("%v", p)
	}
}
