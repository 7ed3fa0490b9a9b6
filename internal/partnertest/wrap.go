package partnertest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// hugeBytes is the size of the body of kind Huge.
const hugeBytes = 10 << 20

// RedirectedPath is where kind Redirect sends the caller, on the same host.
const RedirectedPath = "/_pretend/redirected"

// Wrap puts the faults in front of a partner. A call that no fault is meant for passes
// untouched. For a kind that applies, next runs to its end with the whole request and a
// context that the caller cannot cancel, and only then is its reply replaced.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := f.bite(r)
		if a == nil {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body) // also lets the server notice that the caller has gone
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if a.Delay > 0 || a.Kind == Slow {
			a.hold(a.Delay)
		}
		reply := &recorder{header: make(http.Header), status: http.StatusOK}
		if a.Applied || applies[a.Kind] {
			applied := r.Clone(context.WithoutCancel(r.Context()))
			applied.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(reply, applied)
		}
		a.spoil(w, r, reply)
	})
}

// spoil answers as the fault says.
func (a *armed) spoil(w http.ResponseWriter, r *http.Request, reply *recorder) {
	switch a.Kind {
	case Slow:
		reply.send(w)
	case Status:
		a.answerStatus(w)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-a.cleared:
		}
		panic(http.ErrAbortHandler)
	case DropBefore:
		panic(http.ErrAbortHandler)
	case DropAfter:
		reset(w, nil)
	case Partial:
		reset(w, reply.firstHalf())
	case BadJSON:
		reply.replace([]byte(`{"broken": `))
		reply.send(w)
	case Empty2xx:
		reply.replace(nil)
		reply.send(w)
	case Huge:
		reply.replace(hugeJSON())
		reply.send(w)
	case Redirect:
		http.Redirect(w, r, RedirectedPath, http.StatusTemporaryRedirect)
	default:
		panic("partnertest: fault of kind " + string(a.Kind))
	}
}

func (a *armed) answerStatus(w http.ResponseWriter) {
	if a.RetryAfter > 0 {
		seconds := (a.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, "This fault was asked for.\n")
}

// reset sends the raw bytes and ends the connection with a TCP reset.
func reset(w http.ResponseWriter, raw []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = conn.Write(raw)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// recorder keeps a reply so that it can be spoiled.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header returns the headers to be sent.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader keeps the first status, as a real reply would.
func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
}

// Write keeps the body.
func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) replace(body []byte) {
	r.body.Reset()
	r.body.Write(body)
	r.header.Del("Content-Length")
}

func (r *recorder) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes())
}

// firstHalf is the reply as it would go over the wire, cut in the middle of its body.
func (r *recorder) firstHalf() []byte {
	var raw bytes.Buffer
	header := r.header.Clone()
	header.Set("Content-Length", strconv.Itoa(max(r.body.Len(), 2)))
	raw.WriteString("HTTP/1.1 " + strconv.Itoa(r.status) + " " + http.StatusText(r.status) + "\r\n")
	_ = header.Write(&raw)
	raw.WriteString("\r\n")
	raw.Write(r.body.Bytes()[:r.body.Len()/2])
	return raw.Bytes()
}

// hugeJSON is valid, so that only a limit on its size refuses it.
func hugeJSON() []byte {
	open, shut := []byte(`{"padding":"`), []byte(`"}`)
	padding := bytes.Repeat([]byte("x"), hugeBytes-len(open)-len(shut))
	return append(append(open, padding...), shut...)
}
