package mailtest_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestInbox(t *testing.T) {
	t.Parallel()

	t.Run("SaysThatItIsEmpty", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		if _, page := b.get(t, "/inbox"); !strings.Contains(page, "No mail yet") {
			t.Errorf("got %s", page)
		}
		if _, body := b.get(t, "/inbox.json"); strings.TrimSpace(body) != "[]" {
			t.Errorf("got %s", body)
		}
	})

	t.Run("LeadsToEachMailNewestFirst", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first, second := b.send(t, "ada@example.com"), b.send(t, "bob@example.com")

		_, page := b.get(t, "/inbox")

		one, two := strings.Index(page, `href="/inbox/`+first), strings.Index(page, `href="/inbox/`+second)
		if two < 0 || one < two {
			t.Errorf("the second stands at %d, the first at %d", two, one)
		}
	})

	t.Run("HasItsStyleAndItsScript", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for path, kind := range map[string]string{"/inbox/-/inbox.css": "text/css", "/inbox/-/inbox.js": "javascript"} {
			if response, _ := b.get(t, path); response.StatusCode != http.StatusOK || !strings.Contains(response.Header.Get("Content-Type"), kind) {
				t.Errorf("%s: %s", path, response.Status)
			}
		}
	})

	t.Run("IsThereAfterARestart", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.send(t, "ada@example.com")
		b.restart(t)
		if response, _ := b.get(t, "/inbox/"+id); response.StatusCode != http.StatusOK {
			t.Errorf("got %s", response.Status)
		}
	})
}

func TestMailPage(t *testing.T) {
	t.Parallel()

	t.Run("ShowsAMailAndItsParts", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.send(t, "ada@example.com")

		_, page := b.get(t, "/inbox/"+id)

		for _, want := range []string{
			"Mobile Activation", "ada@example.com", "SM-DP&#43; address:", "image/png", "data:image/png;base64,",
			"notice-1", "activation-1", id, `<iframe src="/inbox/` + id + `/html" sandbox="`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
	})

	t.Run("ShowsTheHTMLWithItsQRCodeAndWithoutScripts", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := b.send(t, "ada@example.com")

		response, page := b.get(t, "/inbox/"+id+"/html")

		if strings.Contains(page, "cid:") || !strings.Contains(page, `src="data:image/png;base64,`) {
			t.Error("the QR code is not in its place")
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script") {
			t.Errorf("the policy is %q", policy)
		}
	})

	t.Run("ShowsANoticeThatHasNothingAttached", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		notice := noticeTo(t, "ada@example.com")
		id, err := b.client.Send(t.Context(), notice.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		b.restart(t)

		_, page := b.get(t, "/inbox/"+id)
		_, html := b.get(t, "/inbox/"+id+"/html")

		for _, want := range []string{notice.Subject(), "ada@example.com", "AT&amp;T", "text/plain", "text/html", "notice-2", "activation-1"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if strings.Contains(page, "image/png") || strings.Contains(html, "<img") || !strings.Contains(html, `href="https://my.northwind.example/a"`) {
			t.Error("the page shows a picture, or no button")
		}
		if mails := b.inbox(t); len(mails) != 1 || len(mails[0].Parts) != 0 || mails[0].Text != notice.Text() {
			t.Errorf("the inbox holds %+v", mails)
		}
	})

	t.Run("KnowsNoOtherMail", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, path := range []string{"/inbox/other", "/inbox/other/html"} {
			if response, _ := b.get(t, path); response.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s", path, response.Status)
			}
		}
	})
}
