// Package oauth is identity over HTTP, in the form of Active Directory: the
// discovery documents and the token endpoints that MSAL, azidentity and
// Terraform ask.
//
// It knows the forms of requests and errors, not who may log in.
package oauth
