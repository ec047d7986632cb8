# The guest of the conformance suite: a boot sector that answers on the serial
# port. It says READY, and obeys single letters:
#   p  say PONG                  o  say OFF and power off
#   w  write a sector; say W+    r  reset
#      when written, W- if not
# The power button makes it say BUTTON and OFF, and power off.
#
#   as --32 -o guest.o guest.asm && objcopy -O binary -j .text guest.o guest.bin
	.code16
	.intel_syntax noprefix
	.text
	.equ PM1_STS, 0x600
	.equ PM1_EN,  0x602
	.equ PM1_CNT, 0x604
	.equ ORIGIN,  0x7c00
start:
	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, ORIGIN
	mov [ORIGIN + drive - start], dl
	mov dx, PM1_EN
	mov ax, 0x0100
	out dx, ax
	mov si, offset ORIGIN + ready - start
	call say
wait:
	sti
	hlt
	mov dx, PM1_STS
	in ax, dx
	test ax, 0x0100
	jnz button
	mov dx, 0x3fd
	in al, dx
	test al, 1
	jz wait
	mov dx, 0x3f8
	in al, dx
	cmp al, 'p'
	je pong
	cmp al, 'w'
	je write
	cmp al, 'o'
	je off
	cmp al, 'r'
	jne wait
	mov dx, 0xcf9
	mov al, 6
	out dx, al
	jmp wait
pong:
	mov si, offset ORIGIN + ponged - start
	call say
	jmp wait
write:
	mov ah, 0x43
	xor al, al
	mov dl, [ORIGIN + drive - start]
	mov si, offset ORIGIN + packet - start
	int 0x13
	mov si, offset ORIGIN + refused - start
	jc written
	add dword ptr [ORIGIN + lba - start], 8
	mov si, offset ORIGIN + wrote - start
written:
	call say
	jmp wait
button:
	mov si, offset ORIGIN + pressed - start
	call say
off:
	mov si, offset ORIGIN + ending - start
	call say
	mov dx, PM1_CNT
	mov ax, 0x2000
	out dx, ax
	jmp wait
say:
	lodsb
	test al, al
	jz said
	mov dx, 0x3f8
	out dx, al
	jmp say
said:
	ret
ready:	.asciz "READY\n"
ponged:	.asciz "PONG\n"
wrote:	.asciz "W+\n"
refused: .asciz "W-\n"
ending:	.asciz "OFF\n"
pressed: .asciz "BUTTON\n"
drive:	.byte 0
packet:	.byte 16, 0
	.word 1
	.word ORIGIN, 0
lba:	.long 2048, 0
	.org 510
	.word 0xaa55
