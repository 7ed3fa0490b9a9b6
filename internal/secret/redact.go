package secret

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// hiddenKeys are attributes whose value nobody may read in a log. A longer key that ends
// with one of these words is hidden too, as in portal_token.
func hiddenKeys() []string {
	return []string{
		"pin", "passcode", "password", "passphrase", "secret", "token", "authorization",
		"cookie", "credential", "credentials", "api_key", "private_key", "keyset", "database_url",
		"account_number", "account_zip", "ssn", "activation_code", "matching_id", "confirmation_code",
		"email", "email_address", "email_override", "recipient",
		"first_name", "last_name", "full_name", "customer_name", "name_override",
		"address_line", "street",
	}
}

// shortenedKeys are attributes of which the last four characters help and do no harm.
func shortenedKeys() []string {
	return []string{"phone", "phone_number", "msisdn", "mdn", "iccid", "imei"}
}

// keys are found again and again, so the patterns are made once.
var (
	hiddenKey    = keyPattern(hiddenKeys(), "name") // a name alone is a person's, a step_name is not
	shortenedKey = keyPattern(shortenedKeys())
	revealing    = revealingPatterns()
)

// keyPattern matches a key that is, or ends with, one of the words, or is one of whole.
func keyPattern(words []string, whole ...string) *regexp.Regexp {
	pattern := `(?:^|_)(?:` + strings.Join(words, "|") + `)$`
	for _, key := range whole {
		pattern += `|^` + key + `$`
	}
	return regexp.MustCompile(pattern)
}

// RedactAttr is a ReplaceAttr for slog handlers: the second net below the rule that secrets
// and personal data are not logged at all. It hides attributes by their key, and in every
// text (the message and errors too) what looks like a phone number in E.164, of which the
// last four digits stay, an e-mail address, an activation code, a bearer token or a
// password in an address. What a struct hides inside, it does not see.
func RedactAttr(groups []string, attr slog.Attr) slog.Attr {
	key := snake(attr.Key)
	switch {
	case hiddenKey.MatchString(key) || slices.ContainsFunc(groups, func(group string) bool { return hiddenKey.MatchString(snake(group)) }):
		attr.Value = slog.StringValue(mask)
	case shortenedKey.MatchString(key):
		attr.Value = slog.StringValue(lastFour(attr.Value.String()))
	default:
		attr.Value = redactValue(attr.Value)
	}
	return attr
}

// Redact hides in a text what RedactAttr would.
func Redact(text string) string {
	if !strings.ContainsAny(text, "+@$") && !strings.Contains(strings.ToLower(text), "bearer") {
		return text
	}
	for _, r := range revealing {
		text = r.pattern.ReplaceAllString(text, r.replacement)
	}
	return text
}

func redactValue(value slog.Value) slog.Value {
	switch value.Kind() {
	case slog.KindString:
		return slog.StringValue(Redact(value.String()))
	case slog.KindAny:
		switch held := value.Any().(type) {
		case error:
			return slog.StringValue(Redact(held.Error()))
		case []string:
			redacted := make([]string, len(held))
			for i, text := range held {
				redacted[i] = Redact(text)
			}
			return slog.AnyValue(redacted)
		}
	}
	return value
}

// revealing text is replaced in this order.
type revealingText struct {
	pattern     *regexp.Regexp
	replacement string
}

func revealingPatterns() []revealingText {
	return []revealingText{
		{regexp.MustCompile(`(://[^:/@\s]*:)[^@\s]+@`), `${1}` + mask + `@`},
		{regexp.MustCompile(`LPA:1\$[^\s"']+`), `LPA:` + mask},
		{regexp.MustCompile(`(?i)\b(bearer)\s+[A-Za-z0-9._~+/=-]+`), `${1} ` + mask},
		{regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`), mask},
		{regexp.MustCompile(`\+[1-9]\d{3,10}(\d{4})\b`), mask + `${1}`},
	}
}

// lastFour keeps nothing of what is hardly longer than that.
func lastFour(text string) string {
	if len(text) < 8 {
		return mask
	}
	return mask + text[len(text)-4:]
}

// snake brings portPhoneNumber, Port-Phone-Number and port.phone_number into one form.
func snake(key string) string {
	var b strings.Builder
	lower := false
	for _, r := range key {
		switch {
		case r == '-' || r == '.' || r == ' ' || r == '_':
			b.WriteByte('_')
			lower = false
			continue
		case unicode.IsUpper(r) && lower:
			b.WriteByte('_')
		}
		lower = !unicode.IsUpper(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
