package image

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lazuli/internal/fabric"
)

// What Get and Remove, Install, and Remove answer.
var (
	ErrNotFound = errors.New("no such image")
	ErrExists   = errors.New("another version of the image is installed")
	ErrInUse    = errors.New("image is in use")
)

// The files of an image, and the prefix of directories that are on their way in
// or out.
const (
	diskFile  = "disk.qcow2"
	descFile  = "image.json"
	lockFile  = ".lock"
	unsettled = ".unsettled-"
)

// Catalogue is a directory of images. Several processes may use one.
type Catalogue struct{ root string }

// Open opens the catalogue in the directory root, makes it when it does not
// exist, and clears away what an install or removal that was cut short has
// left.
func Open(root string) (*Catalogue, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("open image catalogue: %w", err)
	}
	c := &Catalogue{root: root}
	l, err := tryLock(filepath.Join(root, lockFile))
	if errors.Is(err, errLocked) {
		return c, nil // someone is at work; what lies about may be theirs
	}
	if err != nil {
		return nil, fmt.Errorf("open image catalogue: %w", err)
	}
	defer l.Close()
	left, err := filepath.Glob(filepath.Join(root, unsettled+"*"))
	if err != nil {
		return nil, fmt.Errorf("open image catalogue: %w", err)
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return nil, fmt.Errorf("open image catalogue: %w", err)
		}
	}
	return c, nil
}

// Root is the directory of the catalogue.
func (c *Catalogue) Root() string { return c.root }

// DiskPath is where the disk of the image name is, if there is such an image.
func (c *Catalogue) DiskPath(name string) string {
	return filepath.Join(c.root, name, diskFile)
}

// List returns the images, sorted by name. Those that cannot be read are left
// out, and are what the error is about.
func (c *Catalogue) List() ([]fabric.NodeImage, error) {
	entries, err := os.ReadDir(c.root)
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	images, errs := []fabric.NodeImage{}, []error{}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		img, err := c.Get(e.Name())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		images = append(images, img)
	}
	slices.SortFunc(images, func(a, b fabric.NodeImage) int { return cmp.Compare(a.Name, b.Name) })
	return images, errors.Join(errs...)
}

// Get returns one image.
func (c *Catalogue) Get(name string) (fabric.NodeImage, error) {
	img, err := c.read(name)
	if err != nil {
		return fabric.NodeImage{}, fmt.Errorf("image %s: %w", name, err)
	}
	return img, nil
}

func (c *Catalogue) read(name string) (fabric.NodeImage, error) {
	var img fabric.NodeImage
	if err := CheckName(name); err != nil {
		return img, err
	}
	b, err := os.ReadFile(filepath.Join(c.root, name, descFile))
	if errors.Is(err, fs.ErrNotExist) {
		return img, ErrNotFound
	}
	if err != nil {
		return img, err
	}
	if err := json.Unmarshal(b, &img); err != nil {
		return img, fmt.Errorf("read %s: %w", descFile, err)
	}
	if img.Name != name {
		return img, fmt.Errorf("%s names %q", descFile, img.Name)
	}
	if _, err := os.Stat(c.DiskPath(name)); err != nil {
		return img, err
	}
	return img, nil
}
