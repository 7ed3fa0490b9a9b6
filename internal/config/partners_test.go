package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"
)

func newSigningKey(t *testing.T, curve elliptic.Curve) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, base64.StdEncoding.EncodeToString(der)
}

func TestLoadPartners(t *testing.T) {
	t.Parallel()
	key, encoded := newSigningKey(t, elliptic.P256())
	_, otherCurve := newSigningKey(t, elliptic.P384())

	t.Run("NeedsOnlyAFolder", func(t *testing.T) {
		t.Parallel()
		got, err := LoadPartners(t.Context(), envconfig.MapLookuper(map[string]string{"PARTNERS_DIR": "journals"}))
		if err != nil {
			t.Fatal(err)
		}

		if got.Dir != "journals" || got.CarrierListen != "127.0.0.1:0" || got.SigningKey() != nil || got.ExitWithParent {
			t.Errorf("settings = %+v", got)
		}
	})

	t.Run("ReadsAll", func(t *testing.T) {
		t.Parallel()
		got, err := LoadPartners(t.Context(), envconfig.MapLookuper(map[string]string{
			"PARTNERS_DIR": "journals", "PARTNERS_CARRIER_LISTEN": ":7501", "CARRIER_API_KEY": "key",
			"WEBHOOK_URL": "http://127.0.0.1:7401", "CARRIER_WEBHOOK_SECRET": "secret",
			"SENDGRID_WEBHOOK_PRIVATE_KEY": encoded, "EXIT_WITH_PARENT": "1",
		}))
		if err != nil {
			t.Fatal(err)
		}

		if got.CarrierListen != ":7501" || got.CarrierAPIKey.Reveal() != "key" || !got.ExitWithParent || !key.Equal(got.SigningKey()) {
			t.Errorf("settings = %+v", got)
		}
	})

	for name, c := range map[string]struct {
		environment map[string]string
		want        []string
	}{
		"Nothing": {map[string]string{}, []string{"PARTNERS_DIR"}},
		"EventsThatNobodyCouldVerify": {
			map[string]string{"PARTNERS_DIR": "j", "WEBHOOK_URL": "http://127.0.0.1:7401"},
			[]string{"CARRIER_WEBHOOK_SECRET", "SENDGRID_WEBHOOK_PRIVATE_KEY"},
		},
		"AllWrong": {
			map[string]string{
				"PARTNERS_DIR": "j", "PARTNERS_CARRIER_LISTEN": "here", "PARTNERS_ES2PLUS_LISTEN": "there",
				"PARTNERS_SENDGRID_LISTEN": "where", "ES2PLUS_SMDP_ADDRESS": "not a host", "WEBHOOK_URL": "ftp://x",
				"SENDGRID_WEBHOOK_PRIVATE_KEY": otherCurve, "CARRIER_WEBHOOK_SECRET": "s",
			},
			[]string{
				"PARTNERS_CARRIER_LISTEN", "PARTNERS_ES2PLUS_LISTEN", "PARTNERS_SENDGRID_LISTEN",
				"ES2PLUS_SMDP_ADDRESS", "WEBHOOK_URL", "SENDGRID_WEBHOOK_PRIVATE_KEY",
			},
		},
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			_, err := LoadPartners(t.Context(), envconfig.MapLookuper(c.environment))

			faults, _ := errors.AsType[Faults](err)
			var got []string
			for _, fault := range faults {
				got = append(got, fault.Variable)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("faults differ (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), otherCurve) {
				t.Error("the error repeats a key")
			}
		})
	}

	t.Run("SaysOfEachVariableWhatWouldBeRight", func(t *testing.T) {
		t.Parallel()
		for _, field := range fieldsOf(reflect.TypeFor[Partners]()) {
			if field.Tag.Get("want") == "" {
				t.Errorf("%s has no want tag", field.Name)
			}
		}
	})
}
