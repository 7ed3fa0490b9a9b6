package partnertest

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// faultBytesMax bounds the body of POST /_pretend/faults.
const faultBytesMax = 64 << 10

// Handler serves a pretend partner: next behind its faults, and both the faults and the
// journal under /_pretend for callers on this machine; others get 404 there. No fault ever
// bites a call to /_pretend.
func Handler(journal *Journal, faults *Faults, next http.Handler) http.Handler {
	admin := http.NewServeMux()
	admin.HandleFunc("GET /_pretend/journal", func(w http.ResponseWriter, r *http.Request) {
		listEntries(w, r, journal)
	})
	admin.HandleFunc("GET /_pretend/faults", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, faults.List())
	})
	admin.HandleFunc("POST /_pretend/faults", func(w http.ResponseWriter, r *http.Request) {
		setFault(w, r, faults)
	})
	admin.HandleFunc("DELETE /_pretend/faults", func(w http.ResponseWriter, r *http.Request) {
		faults.Clear(r.URL.Query().Get("id"))
		w.WriteHeader(http.StatusNoContent)
	})
	admin.HandleFunc(RedirectedPath, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"redirected": "This redirect should not have been followed."})
	})
	wrapped, local := faults.Wrap(next), Local(admin.ServeHTTP)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/_pretend/") {
			wrapped.ServeHTTP(w, r)
			return
		}
		local(w, r)
	})
}

// Local lets callers on this machine through and answers 404 to others. It is for what a
// partner adds under /_pretend.
func Local(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !fromThisMachine(r) {
			http.NotFound(w, r)
			return
		}
		next(w, r)
	}
}

func listEntries(w http.ResponseWriter, r *http.Request, journal *Journal) {
	entries := journal.Entries()
	if after := r.URL.Query().Get("after"); after != "" {
		seq, err := strconv.Atoi(after)
		if err != nil || seq < 0 {
			http.Error(w, "after must be the seq of an entry", http.StatusBadRequest)
			return
		}
		entries = entries[min(seq, len(entries)):]
	}
	if entries == nil {
		entries = []Entry{}
	}
	answer(w, http.StatusOK, entries)
}

func setFault(w http.ResponseWriter, r *http.Request, faults *Faults) {
	var fault Fault
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, faultBytesMax)).Decode(&fault); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	set, err := faults.Set(fault)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, http.StatusCreated, set)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(body)
}

func fromThisMachine(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
