"""Compresses the frames of WebSockets for callers that ask for that (permessage-deflate), and decompresses theirs.

Frames of one conversation say the same names and ids again and again; packed with what came before them, they are not
much larger than the text in them. Memory for that is taken with the first message that is worth it, and given back by
the first that is not: whoever only hears heartbeats costs as much as without.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import CTRL_OPCODES, Frame
from websockets.typing import ExtensionParameter

_LEAST_BYTES: Final = 128
# 144 KB for a connection that is told something.
_SETTINGS: Final = {"memLevel": 5}


class PackedFrames(PerMessageDeflate):
    """Packs messages with those before them. What arrives is unpacked by itself, never beyond the limit of a message,
    so that nothing is kept between two."""

    def __init__(self, agreed: PerMessageDeflate) -> None:
        super().__init__(
            remote_no_context_takeover=True,
            local_no_context_takeover=True,  # nothing is made ahead
            remote_max_window_bits=agreed.remote_max_window_bits,
            local_max_window_bits=agreed.local_max_window_bits,
            compress_settings=agreed.compress_settings,
        )
        self.local_no_context_takeover = agreed.local_no_context_takeover
        self._is_begun = False

    def encode(self, frame: Frame) -> Frame:
        if frame.opcode in CTRL_OPCODES:
            return frame
        if len(frame.data) < _LEAST_BYTES:  # a heartbeat, or a welcome that brings nothing
            self._is_begun = False
            self.__dict__.pop("encoder", None)
            return frame
        if not self.local_no_context_takeover and not self._is_begun:
            self._is_begun = True
            self.encoder = zlib.compressobj(wbits=-self.local_max_window_bits, **self.compress_settings)
        return super().encode(frame)


class PackedFramesFactory(ServerPerMessageDeflateFactory):
    """Agrees to packing where a caller asks for it."""

    def __init__(self) -> None:
        super().__init__(client_no_context_takeover=True, compress_settings=dict(_SETTINGS))

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        answered, agreed = super().process_request_params(params, accepted_extensions)
        return answered, PackedFrames(agreed)
