package main

import (
	"os/exec"
	"path/filepath"
	"time"
)

const debianImage = "debian-12"

// addDebian puts Debian's image into the catalogue, from where the tests keep it.
func addDebian(dir string) error {
	out, err := exec.Command("cp", "-r", "--reflink=auto", "--sparse=always",
		filepath.Join(".cache", "debian", "images", debianImage), filepath.Join(dir, "images")).CombinedOutput()
	if err != nil {
		return &missing{string(out)}
	}
	return nil
}

type missing struct{ why string }

func (m *missing) Error() string { return "no image of Debian, run its tests first: " + m.why }

// debian boots Debian once: on emulated processors that takes minutes.
func (b *bench) debian() {
	if !b.options.debian {
		return
	}
	b.up()
	address := b.publicIP()
	m := b.create("debian", debianImage, "Standard_B1s", -1)
	b.must(b.await(func() error { return b.logIn(address) }))
	login := time.Since(m.askedAt)
	m.delete()
	b.add("PUT VM until SSH lets in (Debian, once)", ms(login), "", "-", "")
}
