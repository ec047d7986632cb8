// Package qga speaks the protocol of the QEMU guest agent: JSON over a serial
// port, one request at a time, of which the other end is a guest.
//
// The guest may be anyone's: what it sends is bounded in size and time, and
// means nothing beyond the answer to what was asked. It knows no machine and
// does not know what is run.
package qga
