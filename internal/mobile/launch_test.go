package mobile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// form is a launch form that nothing is wrong with, changed.
func form(change func(*mobile.LaunchForm)) mobile.LaunchForm {
	f := mobile.LaunchForm{SubscriptionID: "sub_1", IMEI: "490154203237518", ZIPCode: "10001"}
	change(&f)
	return f
}

func TestNewLaunch_Refuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10_000)
	for name, c := range map[string]struct {
		change func(*mobile.LaunchForm)
		field  string
		reason string
	}{
		"Subscription/Missing":   {func(f *mobile.LaunchForm) { f.SubscriptionID = "" }, "subscription_id", "FIELD_REQUIRED"},
		"Subscription/Slash":     {func(f *mobile.LaunchForm) { f.SubscriptionID = "a/b" }, "subscription_id", "FIELD_MALFORMED"},
		"Subscription/At":        {func(f *mobile.LaunchForm) { f.SubscriptionID = "a@b" }, "subscription_id", "FIELD_MALFORMED"},
		"Subscription/Space":     {func(f *mobile.LaunchForm) { f.SubscriptionID = "a b" }, "subscription_id", "FIELD_MALFORMED"},
		"Subscription/Newline":   {func(f *mobile.LaunchForm) { f.SubscriptionID = "a\n" }, "subscription_id", "FIELD_MALFORMED"},
		"Subscription/Long":      {func(f *mobile.LaunchForm) { f.SubscriptionID = strings.Repeat("a", 65) }, "subscription_id", "FIELD_MALFORMED"},
		"IMEI/Missing":           {func(f *mobile.LaunchForm) { f.IMEI = "" }, "imei", "FIELD_REQUIRED"},
		"IMEI/OnlySpaces":        {func(f *mobile.LaunchForm) { f.IMEI = "  " }, "imei", "FIELD_REQUIRED"},
		"IMEI/CheckDigit":        {func(f *mobile.LaunchForm) { f.IMEI = "490154203237517" }, "imei", "IMEI_CHECK_DIGIT"},
		"IMEI/AllEqual":          {func(f *mobile.LaunchForm) { f.IMEI = "000000000000000" }, "imei", "IMEI_ALL_EQUAL"},
		"IMEI/SixteenDigits":     {func(f *mobile.LaunchForm) { f.IMEI = "4901542032375186" }, "imei", "IMEI_IS_IMEISV"},
		"IMEI/Short":             {func(f *mobile.LaunchForm) { f.IMEI = "49015420323751" }, "imei", "IMEI_LENGTH"},
		"IMEI/Letters":           {func(f *mobile.LaunchForm) { f.IMEI = "49015420323751X" }, "imei", "IMEI_NOT_DIGITS"},
		"IMEI/ForeignDigits":     {func(f *mobile.LaunchForm) { f.IMEI = "٤٩٠١٥٤٢٠٣٢٣٧٥١٨" }, "imei", "IMEI_NOT_DIGITS"},
		"ZIP/Missing":            {func(f *mobile.LaunchForm) { f.ZIPCode = "" }, "zip_code", "FIELD_REQUIRED"},
		"ZIP/Letters":            {func(f *mobile.LaunchForm) { f.ZIPCode = "ABCDE" }, "zip_code", "ZIP_NOT_VALID"},
		"ZIP/SixDigits":          {func(f *mobile.LaunchForm) { f.ZIPCode = "100011" }, "zip_code", "ZIP_NOT_VALID"},
		"ZIP/Zeros":              {func(f *mobile.LaunchForm) { f.ZIPCode = "00000" }, "zip_code", "ZIP_NOT_IN_A_STATE"},
		"ZIP/OfNoState":          {func(f *mobile.LaunchForm) { f.ZIPCode = "21345" }, "zip_code", "ZIP_NOT_IN_A_STATE"},
		"ZIP/Military":           {func(f *mobile.LaunchForm) { f.ZIPCode = "09012" }, "zip_code", "ZIP_MILITARY"},
		"Name/LineBreak":         {func(f *mobile.LaunchForm) { f.NameOverride = "Ann\nBcc: x" }, "name_override", "FIELD_CONTROL_CHARACTER"},
		"Name/NUL":               {func(f *mobile.LaunchForm) { f.NameOverride = "Ann\x00" }, "name_override", "FIELD_CONTROL_CHARACTER"},
		"Name/RightToLeftMark":   {func(f *mobile.LaunchForm) { f.NameOverride = "Ann\u202e" }, "name_override", "FIELD_INVISIBLE_CHARACTER"},
		"Name/LineSeparator":     {func(f *mobile.LaunchForm) { f.NameOverride = "Ann\u2028B" }, "name_override", "FIELD_CONTROL_CHARACTER"},
		"Name/Blanks":            {func(f *mobile.LaunchForm) { f.NameOverride = "   " }, "name_override", "FIELD_BLANK"},
		"Name/Joiner":            {func(f *mobile.LaunchForm) { f.NameOverride = "\u200d" }, "name_override", "FIELD_BLANK"},
		"Name/HangulFiller":      {func(f *mobile.LaunchForm) { f.NameOverride = "\u115f" }, "name_override", "FIELD_BLANK"},
		"ZIP/LineBreak":          {func(f *mobile.LaunchForm) { f.ZIPCode = "10001\n" }, "zip_code", "FIELD_CONTROL_CHARACTER"},
		"Email/LongLocalPart":    {func(f *mobile.LaunchForm) { f.EmailOverride = strings.Repeat("a", 65) + "@example.com" }, "email_override", "EMAIL_NOT_VALID"},
		"Email/BeyondASCII":      {func(f *mobile.LaunchForm) { f.EmailOverride = "jürgen@example.com" }, "email_override", "EMAIL_NOT_VALID"},
		"Name/Long":              {func(f *mobile.LaunchForm) { f.NameOverride = long }, "name_override", "FIELD_TOO_LONG"},
		"Name/NotUTF8":           {func(f *mobile.LaunchForm) { f.NameOverride = "\xff" }, "name_override", "FIELD_NOT_UTF8"},
		"Email/Two":              {func(f *mobile.LaunchForm) { f.EmailOverride = "a@example.com, b@example.com" }, "email_override", "EMAIL_NOT_ONE"},
		"Email/TwoByBlank":       {func(f *mobile.LaunchForm) { f.EmailOverride = "a@example.com b@example.com" }, "email_override", "EMAIL_NOT_ONE"},
		"Email/DisplayName":      {func(f *mobile.LaunchForm) { f.EmailOverride = "Ann<a@example.com>" }, "email_override", "EMAIL_NOT_VALID"},
		"Email/NoDomain":         {func(f *mobile.LaunchForm) { f.EmailOverride = "ann" }, "email_override", "EMAIL_NOT_VALID"},
		"Email/LocalDomain":      {func(f *mobile.LaunchForm) { f.EmailOverride = "ann@localhost" }, "email_override", "EMAIL_NOT_VALID"},
		"Email/LineBreak":        {func(f *mobile.LaunchForm) { f.EmailOverride = "a@example.com\r\nBcc: b@example.com" }, "email_override", "FIELD_CONTROL_CHARACTER"},
		"Email/Blanks":           {func(f *mobile.LaunchForm) { f.EmailOverride = " \t " }, "email_override", "FIELD_CONTROL_CHARACTER"},
		"Email/Long":             {func(f *mobile.LaunchForm) { f.EmailOverride = long + "@example.com" }, "email_override", "FIELD_TOO_LONG"},
		"Port/NumberOnly":        {func(f *mobile.LaunchForm) { f.PortPhoneNumber = "+12125550100" }, "port_carrier", "PORT_FIELDS_TOGETHER"},
		"Port/CarrierOnly":       {func(f *mobile.LaunchForm) { f.PortCarrier = "verizon" }, "port_phone_number", "PORT_FIELDS_TOGETHER"},
		"Port/NumberTollFree":    {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "800 555 0199", "verizon" }, "port_phone_number", "NUMBER_TOLL_FREE"},
		"Port/NumberCanadian":    {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "416 967 1111", "verizon" }, "port_phone_number", "NUMBER_NOT_US"},
		"Port/NumberBritish":     {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "+44 20 7946 0018", "verizon" }, "port_phone_number", "NUMBER_NOT_US"},
		"Port/NumberPremium":     {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "900 234 5678", "verizon" }, "port_phone_number", "NUMBER_NOT_GEOGRAPHIC"},
		"Port/NumberN11":         {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "212 911 5678", "verizon" }, "port_phone_number", "NUMBER_NOT_GEOGRAPHIC"},
		"Port/NumberShort":       {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "555 0100", "verizon" }, "port_phone_number", "NUMBER_NOT_VALID"},
		"Port/NumberIsNoNumber":  {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "call me", "verizon" }, "port_phone_number", "NUMBER_NOT_VALID"},
		"Port/NumberBadExchange": {func(f *mobile.LaunchForm) { f.PortPhoneNumber, f.PortCarrier = "212 155 0100", "verizon" }, "port_phone_number", "NUMBER_NOT_VALID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, violations := mobile.NewLaunch(form(c.change))

			if len(violations) != 1 || violations[0].Field != "mobile_activation."+c.field || violations[0].Reason != c.reason {
				t.Errorf("got %+v, want %s of %s", violations, c.reason, c.field)
			}
		})
	}
}

func TestNewLaunch_TellsEverythingAtOnce(t *testing.T) {
	t.Parallel()

	_, violations := mobile.NewLaunch(mobile.LaunchForm{NameOverride: " ", PortCarrier: "x"})

	var fields []string
	for _, v := range violations {
		fields = append(fields, strings.TrimPrefix(v.Field, "mobile_activation."))
	}
	if diff := cmp.Diff([]string{"subscription_id", "imei", "zip_code", "name_override", "port_phone_number"}, fields); diff != "" {
		t.Error(diff)
	}
}

// Half of a port that is wrong in itself is told with the half that is missing.
func TestNewLaunch_HalfAPortThatIsWrong(t *testing.T) {
	t.Parallel()

	_, violations := mobile.NewLaunch(form(func(f *mobile.LaunchForm) { f.PortPhoneNumber = "1" }))

	var reasons []string
	for _, v := range violations {
		reasons = append(reasons, v.Reason)
	}
	if diff := cmp.Diff([]string{"NUMBER_NOT_VALID", "PORT_FIELDS_TOGETHER"}, reasons); diff != "" {
		t.Error(diff)
	}
}

func TestNewLaunch_NormalForm(t *testing.T) {
	t.Parallel()

	launch, violations := mobile.NewLaunch(mobile.LaunchForm{
		SubscriptionID: "sub_1", IMEI: " 49-015420-323751-8 ", ZIPCode: "100011234", NameOverride: "  Jose\u0301 Nuñez ",
		EmailOverride: " jose@example.com ", PortPhoneNumber: "(212) 736-5000", PortCarrier: "Verizon",
	})

	if violations != nil {
		t.Fatal(violations)
	}
	want := mobile.Launch{
		Subscription: "sub_1", IMEI: "490154203237518", ZIP: "10001-1234", NameOverride: "José Nuñez",
		EmailOverride: "jose@example.com", PortNumber: "+12127365000", PortCarrier: "Verizon",
	}
	if diff := cmp.Diff(want, launch); diff != "" {
		t.Error(diff)
	}
	if launch.Type() != mobile.TypePortIn {
		t.Errorf("the journey is %s", launch.Type())
	}
}

// No refusal ever repeats what it refuses: it may be somebody's secret.
func TestRefusalsKeepTheValueToThemselves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := "canary" + rapid.StringN(0, 20, -1).Draw(t, "value")

		_, violations := mobile.NewLaunch(mobile.LaunchForm{
			SubscriptionID: value + "/", IMEI: value, ZIPCode: value, NameOverride: value + "\n",
			EmailOverride: value, PortPhoneNumber: value, PortCarrier: value + "\n",
		})

		if len(violations) == 0 || strings.Contains(fault.InvalidFields(violations).Error(), "canary") {
			t.Fatalf("violations: %v", violations)
		}
		for _, v := range violations {
			if strings.Contains(v.Text, "canary") {
				t.Fatalf("%s repeats the value", v.Reason)
			}
		}
	})
}

// Every single wrong digit and every swap of two neighbours but 09 and 90 is caught: that is
// what a Luhn digit is for.
func TestParseIMEI_CatchesTypingErrors(t *testing.T) {
	t.Parallel()
	good := []byte("490154203237518")
	for i := range good {
		for d := byte('0'); d <= '9'; d++ {
			typed := append([]byte(nil), good...)
			typed[i] = d
			if _, refusal := mobile.ParseIMEI(string(typed)); (refusal == nil) != (d == good[i]) {
				t.Errorf("%s was taken for an IMEI", typed)
			}
		}
	}
}

func TestParseZIP_States(t *testing.T) {
	t.Parallel()
	for zip, state := range map[string]string{
		"10001": "NY", "00501": "NY", "06390": "NY", "00601": "PR", "00801": "VI", "20001": "DC", "33109": "FL", "73301": "TX",
		"88510": "TX", "90210": "CA", "96799": "HI", "96910": "GU", "99501": "AK", "59001": "MT", "89049": "NV",
	} {
		parsed, refusal := mobile.ParseZIP(zip)
		if refusal != nil || parsed.State() != state {
			t.Errorf("%s: state %q, refusal %v, want %s", zip, parsed.State(), refusal, state)
		}
	}
}
