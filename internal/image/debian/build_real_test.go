package debian

import (
	"os"
	"testing"

	"lazuli/internal/image"
)

// TestBuild builds the image for real, into LAZULI_BUILD_IMAGES. It is for
// people who change the image; the end-to-end tests build it anyway.
func TestBuild(t *testing.T) {
	root := os.Getenv("LAZULI_BUILD_IMAGES")
	if root == "" {
		t.Skip("LAZULI_BUILD_IMAGES names no directory: the real build takes minutes")
	}
	c, err := image.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Build(t.Context(), c, Debian12(), func(p Progress) { t.Logf("%3d%% %s", p.Percent, p.Phase) })
	if err != nil {
		t.Fatal(err)
	}
	t.Log(img)
}
