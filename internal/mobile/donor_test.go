package mobile_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
)

func TestDonors_AreComplete(t *testing.T) {
	t.Parallel()
	donors := mobile.Donors()
	for _, d := range donors {
		if d.Name == "" || !slices.Contains([]mobile.DonorBilling{mobile.DonorPostpaid, mobile.DonorPrepaid, mobile.DonorEither}, d.Billing) ||
			d.PIN.HowTo == "" || d.Account.Where == "" || len(d.Sources) == 0 {
			t.Errorf("%s lacks something: %+v", d.Code, d)
		}
		if d.PIN.Hours != 0 && d.PIN.Hours < 48 || d.PIN.Standing && d.PIN.Hours > 0 || d.PIN.HoursSure && d.PIN.Hours == 0 {
			t.Errorf("%s has a PIN of an odd life: %+v", d.Code, d.PIN)
		}
		for _, form := range []string{d.PIN.Form, d.Account.Form} {
			if _, err := regexp.Compile(form); err != nil {
				t.Errorf("%s: %v", d.Code, err)
			}
		}
		for _, s := range d.Sources {
			if _, err := time.Parse(time.DateOnly, s.Date); err != nil || s.Text == "" {
				t.Errorf("%s has a source without text or date: %+v", d.Code, s)
			}
		}
		for _, sentence := range []string{d.PIN.HowTo, d.Account.Where, d.Lock.HowTo, d.Remark} {
			if sentence != "" && !strings.HasSuffix(sentence, ".") {
				t.Errorf("%s: %q is no sentence", d.Code, sentence)
			}
		}
		if d.Lock.Name != "" && d.Lock.HowTo == "" {
			t.Errorf("%s has a lock that nobody can take off", d.Code)
		}
	}
	if last := donors[len(donors)-1]; last.Code != mobile.DonorOther {
		t.Errorf("the last is %s", last.Code)
	}
}

// A caller who changes a row changes a copy.
func TestDonors_AreACopy(t *testing.T) {
	t.Parallel()
	att, _ := mobile.DonorByCode("att")
	name := att.Name

	mobile.Donors()[0].Name = "changed"

	if again, _ := mobile.DonorByCode("att"); again.Name != name {
		t.Error("the table was changed")
	}
}

func TestFindDonor(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]mobile.DonorCode{
		"att": "att", "AT&T": "att", " at & t ": "att", "at and t": "att", "A.T.&T.": "att", "AT＆T": "att", "AT&T Wireless": "att",
		"AT&T prepaid": "att_prepaid", "att_prepaid": "att_prepaid", "Verizon": "verizon", "verizon wireless": "verizon",
		"VZW": "verizon", "Verizon Prepaid": "verizon_prepaid", "T Mobile": "tmobile", "T-Mobile": "tmobile", "tmobile": "tmobile",
		"t‑mobile": "tmobile", "Metro": "metro", "Metro by T-Mobile": "metro", "MetroPCS": "metro", "Cricket Wireless": "cricket",
		"visible": "visible", "Mint": "mint", "MINT MOBILE": "mint", "US Mobile": "us_mobile", "us-mobile": "us_mobile",
		"Google Voice": "google_voice", "spectrum": "spectrum", "Spectrum Mobile": "spectrum", "Xfinity": "xfinity",
		"Comcast": "xfinity", "other": "other", "Other": "other",
		"": "", "  ": "", "&": "", "-": "", "ATX": "", "a": "", "Google": "", "Google Fi": "", "mobile": "", "nobody's": "", "\x00": "",
	} {
		donor, found := mobile.FindDonor(name)
		if donor.Code != want || found != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", name, donor.Code, found, want)
		}
	}
}

// No name means two donors, however it is written, and each row is found by all of its own.
func TestFindDonor_EveryNameMeansOne(t *testing.T) {
	t.Parallel()
	for _, d := range mobile.Donors() {
		for _, name := range append([]string{string(d.Code), d.Name}, d.Aliases...) {
			for _, written := range []string{name, strings.ToUpper(name), strings.ReplaceAll(name, " ", ""), strings.ReplaceAll(name, " ", "-")} {
				if found, ok := mobile.FindDonor(written); !ok || found.Code != d.Code {
					t.Errorf("%q of %s finds %q", written, d.Code, found.Code)
				}
			}
		}
	}
}

func TestDonorByCode(t *testing.T) {
	t.Parallel()
	if d, ok := mobile.DonorByCode("tmobile"); !ok || d.Name != "T-Mobile" {
		t.Errorf("got %+v", d)
	}
	if d, ok := mobile.DonorByCode("AT&T"); ok {
		t.Errorf("a name is no code, and found %s", d.Code)
	}
}

func TestDonor_PINExpires(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	for code, life := range map[mobile.DonorCode]time.Duration{
		"att": 4 * 24 * time.Hour, "verizon": 7 * 24 * time.Hour, "tmobile": 7 * 24 * time.Hour,
	} {
		d, _ := mobile.DonorByCode(code)
		if got := d.PINExpires(made); !got.Equal(made.Add(life)) {
			t.Errorf("%s: got %s", code, got)
		}
		if !d.PINExpires(time.Time{}).IsZero() {
			t.Errorf("%s: a PIN that nobody made lapses", code)
		}
	}
	for _, code := range []mobile.DonorCode{"att_prepaid", "mint", "google_voice", "xfinity", "other"} {
		if d, _ := mobile.DonorByCode(code); !d.PINExpires(made).IsZero() {
			t.Errorf("%s: the PIN's life is not known, and it ends", code)
		}
	}
}
