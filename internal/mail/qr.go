package mail

import (
	"fmt"

	"github.com/skip2/go-qrcode"

	"github.com/dialtone/dialtone/internal/mobile"
)

// qrModulePixels is the side of one module. Eight pixels survive a screen's scaling and a
// phone's camera at arm's length.
const qrModulePixels = 8

// qrPNG draws the activation code at level M with the quiet zone of four modules that
// ISO/IEC 18004 §5.3.8 asks for, black on opaque white: in a dark mail client the white
// border must not vanish. It returns the side in pixels too.
func qrPNG(code mobile.ActivationCode) (png []byte, side int, err error) {
	qr, err := qrcode.New(code.LPA(), qrcode.Medium) // its own border is the quiet zone: four modules
	if err != nil {
		return nil, 0, fmt.Errorf("encode the activation code as a QR code: %w", err)
	}
	png, err = qr.PNG(-qrModulePixels) // negative: pixels a module, so that none is smoothed
	if err != nil {
		return nil, 0, fmt.Errorf("draw the QR code: %w", err)
	}
	return png, len(qr.Bitmap()) * qrModulePixels, nil
}
