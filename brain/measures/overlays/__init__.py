"""What was laid over a picture after it was taken or drawn: watermarks, captions, interface elements."""
