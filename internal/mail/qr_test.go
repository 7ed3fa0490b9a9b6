package mail

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"
)

// TestQR: the QR code of a mail, as it was mailed, says the activation code, whatever it is.
func TestQR(t *testing.T) {
	t.Parallel()

	t.Run("OfAnyCode", func(t *testing.T) {
		t.Parallel()
		address := rapid.StringMatching(`[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?(\.[a-zA-Z0-9]{1,12}){1,4}`)
		matching := rapid.StringMatching(`[-0-9A-Z]{1,64}`)
		mail := newLine(t)
		rapid.Check(t, func(rt *rapid.T) {
			m := mail
			m.Code = codeOf(t, address.Draw(rt, "address"), matching.Draw(rt, "matching id"))

			picture := decodePNG(t, qrOf(t, compose(t, m)))

			if got := scan(rt, picture); got != m.Code.LPA() {
				rt.Fatalf("it says %q, want %q", got, m.Code.LPA())
			}
		})
	})

	t.Run("SurvivesADarkClient", func(t *testing.T) {
		t.Parallel()
		picture := decodePNG(t, qrOf(t, compose(t, newLine(t))))
		black, white := color.NRGBA{A: 255}, color.NRGBA{R: 255, G: 255, B: 255, A: 255}
		const quiet = 4 * qrModulePixels
		side := picture.Bounds().Dx()
		for y := range side {
			for x := range side {
				got := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
				border := x < quiet || y < quiet || x >= side-quiet || y >= side-quiet
				if got != white && (border || got != black) {
					t.Fatalf("the pixel at %d,%d is %v", x, y, got)
				}
			}
		}
	})

	t.Run("HasSharpModulesOfEightPixels", func(t *testing.T) {
		t.Parallel()
		picture := decodePNG(t, qrOf(t, compose(t, newLine(t))))
		side := picture.Bounds().Dx()
		// A QR code has 17 + 4·version modules; the quiet zone adds eight.
		if modules := side / qrModulePixels; side%qrModulePixels != 0 || picture.Bounds().Dy() != side || (modules-8-17)%4 != 0 {
			t.Fatalf("the picture is %v, no whole number of modules", picture.Bounds())
		}
		for y := range side {
			for x := range side {
				if picture.At(x, y) != picture.At(x-x%qrModulePixels, y-y%qrModulePixels) {
					t.Fatalf("the module at %d,%d is not of one colour", x, y)
				}
			}
		}
	})
}

func decodePNG(tb testing.TB, raw []byte) image.Image {
	tb.Helper()
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	return picture
}

// scan reads the QR code by another hand than the one that drew it. The hint says that the
// picture is a drawing and no photograph; without it gozxing's search for the corners, which
// is made for photographs, misses about one in sixty of them.
func scan(tb rapid.TB, picture image.Image) string {
	tb.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		tb.Fatalf("read the picture: %v", err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE: true,
	})
	if err != nil {
		tb.Fatalf("scan the QR code: %v", err)
	}
	return result.GetText()
}
