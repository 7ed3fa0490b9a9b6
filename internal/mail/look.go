package mail

import (
	"embed"
	"html/template"
	"strings"
	texttemplate "text/template"
)

// look is how one kind of element is drawn. Mail clients drop style sheets, so the light
// colours stand inline on every element; those that keep them read the dark ones from one.
type look struct {
	class string // the class by which a dark rule finds the element; may be empty
	style string
	dark  string // declarations under prefers-color-scheme: dark; may be empty
}

const (
	sans = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
	mono = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"

	ink, inkDark       = "color:#1b1f24;", "color:#e8eaed;"
	quiet, quietDark   = "color:#555d66;", "color:#a8b0b9;"
	blue, blueDark     = "color:#0b57d0;", "color:#9ec1ff;"
	paper, paperDark   = "background-color:#ffffff;", "background-color:#1c2025;"
	ground, groundDark = "background-color:#f2f4f6;", "background-color:#101317;"
)

// looks names every kind of element. Contrast is at least 4.5:1 in both schemes (WCAG 2.2
// §1.4.3); a test computes it.
var looks = map[string]look{
	"body":       {"ground", "margin:0;padding:0;-webkit-text-size-adjust:100%;" + ground, groundDark},
	"preview":    {"", "display:none;max-height:0;overflow:hidden;mso-hide:all;", ""},
	"page":       {"ground", ground, groundDark},
	"gutter":     {"", "padding:24px 8px;", ""},
	"sheet":      {"", "max-width:600px;width:100%;", ""},
	"letterhead": {"ink", "padding:0 16px 12px;font-size:15px;line-height:20px;font-weight:600;overflow-wrap:anywhere;" + sans + ink, inkDark},
	"card":       {"paper ink", "padding:28px 16px;border-radius:12px;overflow-wrap:anywhere;" + sans + paper + ink, ""},
	"h1":         {"ink", "margin:0;font-size:24px;line-height:30px;font-weight:700;" + ink, ""},
	"number":     {"quiet", "margin:4px 0 20px;font-size:17px;line-height:24px;" + quiet, quietDark},
	"h2":         {"ink", "margin:32px 0 10px;font-size:18px;line-height:24px;font-weight:700;" + ink, ""},
	"h3":         {"ink", "margin:20px 0 10px;font-size:16px;line-height:22px;font-weight:600;" + ink, ""},
	"p":          {"", "margin:0 0 12px;font-size:16px;line-height:24px;", ""},
	"small":      {"quiet", "margin:12px 0 0;font-size:14px;line-height:22px;" + quiet, ""},
	"list":       {"", "margin:0;padding:0 0 0 20px;", ""},
	"item":       {"", "margin:0 0 8px;font-size:16px;line-height:24px;", ""},
	"button":     {"button", "border-radius:8px;background-color:#1b1f24;", "background-color:#e8eaed;"},
	"buttonLink": {"buttonink", "display:block;padding:12px 16px;text-align:center;text-decoration:none;font-size:16px;line-height:22px;font-weight:600;color:#ffffff;", "color:#1b1f24;"},
	"buttonNote": {"buttonink", "font-size:13px;line-height:18px;font-weight:400;color:#ffffff;", ""},
	"gap":        {"", "font-size:10px;line-height:10px;", ""},
	"action":     {"", "margin:24px 0 0;", ""},
	"address":    {"quiet", "margin:8px 0 20px;font-size:13px;line-height:20px;overflow-wrap:anywhere;" + quiet, ""},
	"help":       {"", "margin:32px 0 0;font-size:16px;line-height:24px;", ""},
	"qrTable":    {"", "table-layout:fixed;width:100%;", ""}, // fixed: a text in place of the image must not widen it
	"qrCard":     {"", "border-radius:8px;border:1px solid #d5dae0;background-color:#ffffff;color:#1b1f24;padding:8px;", ""},
	"qr":         {"", "display:block;margin:0 auto;max-width:100%;height:auto;border:0;background-color:#ffffff;color:#1b1f24;font-size:16px;line-height:24px;", ""},
	"codes":      {"inset", "border-radius:8px;background-color:#f2f4f6;", "background-color:#101317;"},
	"codeName":   {"quiet", "padding:12px 14px 0;font-size:13px;line-height:18px;font-weight:400;text-align:left;" + quiet, ""},
	"code":       {"ink", "padding:2px 14px 0;font-size:16px;line-height:24px;word-break:break-all;" + mono + ink, ""},
	"codeLast":   {"ink", "padding:2px 14px 12px;font-size:16px;line-height:24px;word-break:break-all;" + mono + ink, ""},
	"support":    {"", "margin:0 0 12px;font-size:16px;line-height:24px;", ""},
	"last":       {"", "margin:0;font-size:16px;line-height:24px;", ""},
	"link":       {"link", "text-decoration:underline;white-space:nowrap;" + blue, blueDark},
	"footer":     {"quiet", "padding:16px 16px 0;font-size:13px;line-height:20px;overflow-wrap:anywhere;" + sans + quiet, ""},
	"footerLink": {"quiet", "text-decoration:underline;" + quiet, ""},
}

// darkRules is the style sheet: what inline styles cannot say. paper has its own rule
// because looks give each class one set of declarations.
func darkRules() template.CSS {
	rules := map[string]string{"paper": paperDark}
	for _, l := range looks {
		if l.dark != "" {
			rules[l.class] = l.dark
		}
	}
	var sheet strings.Builder
	sheet.WriteString(":root{color-scheme:light dark;supported-color-schemes:light dark}\n")
	sheet.WriteString("@media (min-width:480px){.paper{padding:32px 36px!important}}\n")
	sheet.WriteString("@media (prefers-color-scheme:dark){\n")
	for _, class := range []string{"ground", "paper", "inset", "ink", "quiet", "link", "button", "buttonink"} {
		sheet.WriteString("." + class + "{" + strings.ReplaceAll(rules[class], ";", "!important;") + "}\n")
	}
	sheet.WriteString("}")
	return template.CSS(sheet.String())
}

//go:embed templates
var files embed.FS

// The functions give constants of this file only; nothing that a customer or a tenant wrote
// passes html/template without being escaped.
var htmlFuncs = template.FuncMap{
	"look": func(name string) template.HTMLAttr {
		l := looks[name]
		attribute := `style="` + l.style + `"`
		if l.class != "" {
			attribute = `class="` + l.class + `" ` + attribute
		}
		return template.HTMLAttr(attribute)
	},
	"darkRules": darkRules,
	"contentID": func() template.URL { return qrContentID },
	// Outlook on Windows knows no max-width; html/template would drop a literal comment.
	"onlyOutlook": func(markup string) template.HTML {
		return template.HTML("<!--[if mso]>" + markup + "<![endif]-->")
	},
}

var textFuncs = texttemplate.FuncMap{"upper": strings.ToUpper}

var (
	activationForm = formOf("activation")
	noticeForm     = formOf("notice")
)

// formOf reads the templates of this name and those that every mail shares.
func formOf(name string) form {
	text, html := name+".txt.tmpl", name+".html.tmpl"
	return form{
		text: texttemplate.Must(texttemplate.New(text).Funcs(textFuncs).
			ParseFS(files, "templates/letter.txt.tmpl", "templates/"+text)),
		html: template.Must(template.New(html).Option("missingkey=error").Funcs(htmlFuncs).
			ParseFS(files, "templates/letter.html.tmpl", "templates/"+html)),
	}
}
