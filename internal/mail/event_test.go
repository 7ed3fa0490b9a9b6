package mail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func keyOn(tb testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// deliver signs body as SendGrid does.
func deliver(tb testing.TB, key *ecdsa.PrivateKey, timestamp, body string) http.Header {
	tb.Helper()
	digest := sha256.Sum256([]byte(timestamp + body))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	header := http.Header{}
	header.Set(SignatureHeader, base64.StdEncoding.EncodeToString(signature))
	header.Set(TimestampHeader, timestamp)
	return header
}

func at(offset time.Duration) string { return fmt.Sprint(noon.Add(offset).Unix()) }

func TestParseWebhookKey(t *testing.T) {
	t.Parallel()
	pkix := func(t *testing.T, key any) string {
		t.Helper()
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(der)
	}

	t.Run("TakesSendGrids", func(t *testing.T) {
		t.Parallel()
		key := keyOn(t, elliptic.P256())
		got, err := ParseWebhookKey(" " + pkix(t, &key.PublicKey) + "\n")
		if err != nil || !got.Equal(&key.PublicKey) {
			t.Errorf("got %v, %v", got, err)
		}
	})

	t.Run("RefusesOthers", func(t *testing.T) {
		t.Parallel()
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"empty": "", "text": "my key", "base64 of text": base64.StdEncoding.EncodeToString([]byte("my key")),
			"RSA": pkix(t, &other.PublicKey), "P-384": pkix(t, &keyOn(t, elliptic.P384()).PublicKey),
		} {
			if _, err := ParseWebhookKey(text); !errors.Is(err, ErrWebhookKey) {
				t.Errorf("%s: got %v, want %v", name, err, ErrWebhookKey)
			}
		}
	})
}

func TestVerifyEvents(t *testing.T) {
	t.Parallel()
	key := keyOn(t, elliptic.P256())
	const body = `[{"event":"delivered","timestamp":1772366400,"sg_message_id":"m.recvd-1","notice_id":"n"}]`

	for name, c := range map[string]struct {
		timestamp string
		spoil     func(http.Header)
		body      string
		want      error
	}{
		"TakesOneJustSigned":        {at(0), nil, body, nil},
		"TakesARepeatAfterADay":     {at(-24 * time.Hour), nil, body, nil},
		"TakesOneOfAFasterClock":    {at(9 * time.Minute), nil, body, nil},
		"RefusesATooOldOne":         {at(-26 * time.Hour), nil, body, ErrSignature},
		"RefusesOneOfTheFuture":     {at(time.Hour), nil, body, ErrSignature},
		"RefusesATimeThatIsNone":    {"yesterday", nil, body, ErrSignature},
		"RefusesAnotherTime":        {at(0), func(h http.Header) { h.Set(TimestampHeader, at(time.Second)) }, body, ErrSignature},
		"RefusesOneUnsigned":        {at(0), func(h http.Header) { h.Del(SignatureHeader) }, body, ErrSignature},
		"RefusesOneWithoutTime":     {at(0), func(h http.Header) { h.Del(TimestampHeader) }, body, ErrSignature},
		"RefusesASignatureOfNoForm": {at(0), func(h http.Header) { h.Set(SignatureHeader, "%%%") }, body, ErrSignature},
		"RefusesNoList":             {at(0), nil, `{"event":"delivered"}`, ErrEvents},
		"RefusesNull":               {at(0), nil, `null`, ErrEvents},
		"RefusesATornList":          {at(0), nil, body[:len(body)-1], ErrEvents},
		"TakesAnEmptyList":          {at(0), nil, `[]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := deliver(t, key, c.timestamp, c.body)
			if c.spoil != nil {
				c.spoil(header)
			}
			if _, err := VerifyEvents(&key.PublicKey, header, []byte(c.body), noon); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}

	t.Run("RefusesAnotherBody", func(t *testing.T) {
		t.Parallel()
		header := deliver(t, key, at(0), body)
		if _, err := VerifyEvents(&key.PublicKey, header, []byte(body+" "), noon); !errors.Is(err, ErrSignature) {
			t.Errorf("got %v, want %v", err, ErrSignature)
		}
	})

	t.Run("RefusesAnotherKey", func(t *testing.T) {
		t.Parallel()
		header := deliver(t, keyOn(t, elliptic.P256()), at(0), body)
		if _, err := VerifyEvents(&key.PublicKey, header, []byte(body), noon); !errors.Is(err, ErrSignature) {
			t.Errorf("got %v, want %v", err, ErrSignature)
		}
	})

	t.Run("RefusesWithoutAKey", func(t *testing.T) {
		t.Parallel()
		if _, err := VerifyEvents(nil, deliver(t, key, at(0), body), []byte(body), noon); !errors.Is(err, ErrSignature) {
			t.Errorf("got %v, want %v", err, ErrSignature)
		}
	})
}

// readEvents takes entries through the whole door.
func readEvents(t *testing.T, entries ...string) []Event {
	t.Helper()
	key := keyOn(t, elliptic.P256())
	body := "[" + strings.Join(entries, ",") + "]"
	events, err := VerifyEvents(&key.PublicKey, deliver(t, key, at(0), body), []byte(body), noon)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// ours is what SendGrid says of each event of a notice of ours.
const ours = `"timestamp":1772366400,"sg_message_id":"XwFI1RnATRCBfdmLWhmFyQ.recvd-5f6d-1-65A0.0","notice_id":"n-1","activation_id":"a-1","email":"ada@example.com"`

func TestEvents(t *testing.T) {
	t.Parallel()
	event := Event{NoticeID: "n-1", ActivationID: "a-1", MessageID: "XwFI1RnATRCBfdmLWhmFyQ", At: noon}

	for name, c := range map[string]struct {
		entry  string
		kind   EventKind
		reason string
	}{
		"Processed":       {`{"event":"processed",` + ours + `}`, EventProcessed, ""},
		"Delivered":       {`{"event":"delivered","response":"250 OK",` + ours + `}`, EventDelivered, ""},
		"Deferred":        {`{"event":"deferred","response":"421 try later","status":"4.2.1","attempt":"2",` + ours + `}`, EventDeferred, "DEFERRED 4.2.1"},
		"Bounced":         {`{"event":"bounce","type":"bounce","status":"5.1.1","reason":"550 5.1.1 <ada@example.com> unknown","bounce_classification":"Invalid Address",` + ours + `}`, EventBounced, "BOUNCE 5.1.1 INVALID_ADDRESS"},
		"Blocked":         {`{"event":"bounce","type":"blocked","status":"5.7.1","bounce_classification":"Reputation",` + ours + `}`, EventBounced, "BLOCKED 5.7.1 REPUTATION"},
		"BouncedSomehow":  {`{"event":"bounce","type":"bounce","status":"see ada@example.com","bounce_classification":"ada@example.com",` + ours + `}`, EventBounced, "BOUNCE"},
		"Dropped":         {`{"event":"dropped","reason":"Bounced Address","status":"5.0.0",` + ours + `}`, EventDropped, "DROPPED 5.0.0 BOUNCED_ADDRESS"},
		"CalledSpam":      {`{"event":"spamreport",` + ours + `}`, EventSpamReport, ""},
		"Opened":          {`{"event":"open","ip":"192.0.2.1",` + ours + `}`, EventOther, ""},
		"OfAKindUnknown":  {`{"event":"pondered",` + ours + `}`, EventOther, ""},
		"OfAnOlderFormat": {`{"event":"delivered",` + strings.Replace(ours, ".recvd-5f6d-1-65A0.0", ".filter0001.16648.5515E0B88.0", 1) + `}`, EventDelivered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := event
			want.Kind, want.ReasonCode = c.kind, c.reason
			if diff := cmp.Diff([]Event{want}, readEvents(t, c.entry), cmpopts.IgnoreFields(Event{}, "Key")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventsOfOthers(t *testing.T) {
	t.Parallel()

	t.Run("OneThatCannotBeReadSpoilsNoOther", func(t *testing.T) {
		t.Parallel()
		events := readEvents(t, `"text"`, `{"event":7}`, `{"event":"delivered"}`, `{}`, `{"event":"delivered",`+ours+`}`)
		for _, e := range events[:4] {
			if e.Kind != EventOther || e.NoticeID != "" || e.Key == "" {
				t.Errorf("got %+v", e)
			}
		}
		if len(events) != 5 || events[4].Kind != EventDelivered {
			t.Errorf("got %+v", events)
		}
	})

	t.Run("IDsThatAreNoneAreDropped", func(t *testing.T) {
		t.Parallel()
		got := readEvents(t, `{"event":"delivered","timestamp":1772366400,"notice_id":"ada@example.com","activation_id":"`+strings.Repeat("a", 200)+`","sg_message_id":"a b"}`)
		want := []Event{{Kind: EventDelivered, At: noon}}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Event{}, "Key")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestEventKey(t *testing.T) {
	t.Parallel()

	t.Run("IsOfTheEventNotOfItsDelivery", func(t *testing.T) {
		t.Parallel()
		first := readEvents(t, `{"event":"delivered","sg_event_id":"one",`+ours+`}`)[0]
		again := readEvents(t, `{"sg_event_id":"two",`+ours+`,"event":"delivered"}`)[0]
		other := readEvents(t, `{"event":"deferred",`+ours+`}`)[0]
		later := readEvents(t, `{"event":"delivered",`+strings.Replace(ours, "1772366400", "1772366401", 1)+`}`)[0]
		if first.Key != again.Key {
			t.Error("the same event has two keys")
		}
		if first.Key == other.Key || first.Key == later.Key {
			t.Error("two events have one key")
		}
	})

	t.Run("DropsOfTwoNoticesWithoutMessageAreTwo", func(t *testing.T) {
		t.Parallel()
		drops := readEvents(t,
			`{"event":"dropped","timestamp":1772366400,"notice_id":"n-1"}`,
			`{"event":"dropped","timestamp":1772366400,"notice_id":"n-2"}`)
		if drops[0].Key == drops[1].Key {
			t.Error("they have one key")
		}
	})
}

// FuzzReadEvent: whatever an entry is, nothing of it that is not ours comes out.
func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(`{"event":"bounce","timestamp":1,"type":"blocked","status":"5.1.1","reason":"Invalid","notice_id":"n"}`))
	f.Add([]byte(`{"event":"dropped","timestamp":1e3,"sg_message_id":".filter"}`))
	f.Add([]byte(`[[]]`))
	f.Fuzz(func(t *testing.T, entry []byte) {
		if !json.Valid(entry) {
			t.Skip()
		}
		e := readEvent(entry)
		if e.Kind == "" || len(e.Key) != 64 || strings.ContainsAny(e.ReasonCode+e.NoticeID+e.MessageID, "@<>\n\x00") {
			t.Errorf("%s reads as %+v", entry, e)
		}
	})
}
