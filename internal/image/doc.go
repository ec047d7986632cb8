// Package image keeps the node's catalogue of platform images: directories
// named after the image, each with a qcow2 file that nobody writes any more and
// a description of it. Disks are overlays over that file, so what is in the
// catalogue never changes: it appears whole, and goes whole.
//
// It must not know how images are made (image/debian, image/bootdisk), nor who
// uses them: whether an image is in use is for the caller of Remove to say.
package image
