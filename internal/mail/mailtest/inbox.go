package mailtest

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

//go:embed pages
var pages embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"bytes": func(content string) int { return base64.StdEncoding.DecodedLen(len(content)) },
	// A part is shown only as the picture that it says it is; anything else stays text.
	"picture": func(p Part) template.URL {
		if p.Type != "image/png" {
			return ""
		}
		return template.URL("data:image/png;base64," + p.Content)
	},
}).ParseFS(pages, "pages/*.tmpl"))

const (
	// pagePolicy lets the pages run their own script and nothing that a mail brings.
	pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'"
	// mailPolicy lets a mail draw itself: no script, no request to anywhere.
	mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)

func (s *Server) routeInbox(mux *http.ServeMux) {
	mux.HandleFunc("GET /inbox.json", s.inboxJSON)
	mux.HandleFunc("GET /inbox", s.inboxPage)
	mux.HandleFunc("GET /inbox/{id}", s.mailPage)
	mux.HandleFunc("GET /inbox/{id}/html", s.mailHTML)
	mux.HandleFunc("GET /inbox/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/inbox", http.StatusSeeOther)
	})
	for _, name := range []string{"inbox.css", "inbox.js"} {
		mux.HandleFunc("GET /inbox/-/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pages, "pages/"+name)
		})
	}
}

func (s *Server) inboxJSON(w http.ResponseWriter, _ *http.Request) {
	mails := s.Mails()
	if mails == nil {
		mails = []Mail{}
	}
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(mails)
}

func (s *Server) inboxPage(w http.ResponseWriter, _ *http.Request) {
	mails := slices.Clone(s.Mails())
	slices.Reverse(mails)
	show(w, "inbox.html.tmpl", mails)
}

func (s *Server) mailPage(w http.ResponseWriter, r *http.Request) {
	if mail, found := s.mail(r.PathValue("id")); found {
		show(w, "mail.html.tmpl", mail)
		return
	}
	http.NotFound(w, r)
}

func (s *Server) mailHTML(w http.ResponseWriter, r *http.Request) {
	mail, found := s.mail(r.PathValue("id"))
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// Links open in a tab of their own: the frame may go nowhere.
	page := strings.Replace(mail.Inlined(), "<head>", `<head><base target="_blank">`, 1)
	_, _ = w.Write([]byte(page))
}

func (s *Server) mail(id string) (Mail, bool) {
	mails := s.Mails()
	if i := slices.IndexFunc(mails, func(m Mail) bool { return m.MessageID == id }); i >= 0 {
		return mails[i], true
	}
	return Mail{}, false
}

func show(w http.ResponseWriter, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if err := templates.ExecuteTemplate(w, page, data); err != nil {
		http.Error(w, "the page could not be written: "+err.Error(), http.StatusInternalServerError)
	}
}
