package esim

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
	"github.com/dialtone/dialtone/internal/wire/wiretest"
)

// silences has a row for each way in which no whole reply comes. It is the same for each act.
var silences = map[string]mobile.PartnerError{
	"ConnectionRefused":     {Verdict: mobile.VerdictNotNow, Code: "connection refused"},
	"HostUnknown":           {Verdict: mobile.VerdictNotNow, Code: "host not found"},
	"CertificateNotTrusted": {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"NoTLS":                 {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"ResetInTheHandshake":   {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"ClosedInTheHandshake":  {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"TimeoutInTheHandshake": {Verdict: mobile.VerdictNotNow, Code: "timeout"},
	"CalledOffBefore":       {Verdict: mobile.VerdictNotNow, Code: "cancelled"},

	"ResetAfterTheFirstByte":   {Verdict: mobile.VerdictUnknown, Code: "connection reset"},
	"ResetAfterTheRequest":     {Verdict: mobile.VerdictUnknown, Code: "connection reset"},
	"ClosedAfterTheRequest":    {Verdict: mobile.VerdictUnknown, Code: "connection closed"},
	"TimeoutAfterTheRequest":   {Verdict: mobile.VerdictUnknown, Code: "timeout"},
	"CalledOffAfterTheRequest": {Verdict: mobile.VerdictUnknown, Code: "cancelled"},
	"NotHTTP":                  {Verdict: mobile.VerdictUnknown, Code: "reply broken"},
	"ClosedInTheStatusLine":    {Verdict: mobile.VerdictUnknown, Code: "reply broken"},
	"ClosedInTheHeader":        {Verdict: mobile.VerdictUnknown, Code: "connection closed"},
	"HeaderTooLong":            {Verdict: mobile.VerdictUnknown, Code: "reply broken"},
	"ClosedAfterEarlyHints":    {Verdict: mobile.VerdictUnknown, Code: "connection closed"},

	"200CutShort":         {Verdict: mobile.VerdictUnknown, Code: "connection closed"},
	"201CutShort":         {Verdict: mobile.VerdictUnknown, Code: "connection closed"},
	"202CutShort":         {Verdict: mobile.VerdictUnknown, Code: "connection closed"},
	"307CutShort":         {Verdict: mobile.VerdictUnknown, Code: "HTTP 307"},
	"400CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 400"},
	"401CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 401"},
	"403CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 403"},
	"404CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 404"},
	"409CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 409"},
	"413CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 413"},
	"429CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 429"},
	"500CutShort":         {Verdict: mobile.VerdictUnknown, Code: "HTTP 500"},
	"503CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 503"},
	"200ResetInTheBody":   {Verdict: mobile.VerdictUnknown, Code: "connection reset"},
	"200TimeoutInTheBody": {Verdict: mobile.VerdictUnknown, Code: "timeout"},
	"200BadlyChunked":     {Verdict: mobile.VerdictUnknown, Code: "reply broken"},
	"200TooLong":          {Verdict: mobile.VerdictUnknown, Code: "reply too long"},
	"201TooLong":          {Verdict: mobile.VerdictUnknown, Code: "reply too long"},
	"202TooLong":          {Verdict: mobile.VerdictUnknown, Code: "reply too long"},
	"403TooLong":          {Verdict: mobile.VerdictNotNow, Code: "HTTP 403"},
	"500TooLong":          {Verdict: mobile.VerdictUnknown, Code: "HTTP 500"},
	"503TooLong":          {Verdict: mobile.VerdictNotNow, Code: "HTTP 503"},
}

// TestSilences: what is known when no whole reply came.
func TestSilences(t *testing.T) {
	t.Parallel()
	all := wiretest.Silences()
	if len(all) != len(silences) {
		t.Errorf("%d ways and %d rows", len(all), len(silences))
	}
	for _, silence := range all {
		for act := range acts {
			t.Run(silence.Name+"/"+acts[act].name, func(t *testing.T) {
				t.Parallel()
				want, there := silences[silence.Name]
				if !there {
					t.Fatal("this way has no row")
				}
				ctx, url := silence.Play(t)

				wantPartnerError(t, acts[act].call(ctx, newClient(t, Config{URL: url})), want)
			})
		}
	}
}

// TestTimeoutOfTheConfig: a call ends by itself, long before it would by default.
func TestTimeoutOfTheConfig(t *testing.T) {
	t.Parallel()
	url := wiretest.Listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	client := newClient(t, Config{URL: strings.Replace(url, "http:", "https:", 1), Timeout: time.Millisecond})
	began := time.Now()

	err := acts[confirm].call(t.Context(), client)

	wantPartnerError(t, err, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "timeout"})
	if took := time.Since(began); took > wire.TimeoutDefault/2 {
		t.Errorf("the call took %s", took)
	}
}

// TestTheTableInWords: each line of the comment that is the table meets a confirmation as it
// says, and each has an answer here that it stands for.
func TestTheTableInWords(t *testing.T) {
	t.Parallel()
	verdicts := map[string]mobile.Verdict{
		"yes": mobile.VerdictYes, "not now": mobile.VerdictNotNow, "unknown": mobile.VerdictUnknown,
		"as listed": mobile.VerdictRefused, // which is how the examples below are listed
	}
	by := func(handler http.HandlerFunc) func(*testing.T) string {
		return func(t *testing.T) string { return serve(t, handler) }
	}
	examples := map[string]func(*testing.T) string{
		"no byte has left: refused connection, DNS, TLS, called off": func(*testing.T) string { return "http://127.0.0.1:1" }, // tcpmux
		"2xx, Executed-Success or Executed-WithWarning":              by(answering(200, doneBody("Executed-Success"))),
		"2xx, Failed, and the pair of codes is listed for the act":   by(answering(200, failedBody("8.2.1/3.9"))),
		"2xx, Failed, with another pair or none":                     by(answering(200, statusBody("Failed"))),
		"2xx, Expired, or a status that SGP.22 does not have":        by(answering(200, statusBody("Expired"))),
		"2xx that cannot be read":                                    by(answering(200, "<html>")),
		"401, 403, 429 or 503, whatever its body says or lacks":      by(answering(403, failedBody("8.2.1/3.9"))),
		"any other 4xx, Failed, and the pair is listed for the act":  by(answering(400, failedBody("8.2.1/3.9"))),
		"any other 4xx, whatever its body says or lacks":             by(answering(404, "not here")),
		"any 1xx, 3xx or 5xx, and what is no status at all":          by(answering(500, failedBody("8.2.1/3.9"))),
		"a byte has left, and no whole reply came":                   by(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
	}
	rows := wiretest.Table(t, "verdict.go")
	if len(rows) != len(examples) {
		t.Errorf("%d lines and %d examples", len(rows), len(examples))
	}
	for _, row := range rows {
		t.Run(row.Situation, func(t *testing.T) {
			t.Parallel()
			example, there := examples[row.Situation]
			if !there {
				t.Fatal("this line has no example")
			}

			err := acts[confirm].call(t.Context(), newClient(t, Config{URL: example(t)}))

			if mobile.VerdictOf(err) != verdicts[row.Verdict] {
				t.Errorf("got %v, but the table says %s", err, row.Verdict)
			}
		})
	}
}
