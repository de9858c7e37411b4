"""The parts of tiny pipelines: tokenizers, text encoders, image encoders and networks with random weights."""

from __future__ import annotations

from typing import Any

#: characters that a text may be made of; every tokenizer here has one token for each
_TEXT = [chr(code) for code in range(32, 127)]


def characters(length: int, chat: bool = False) -> Any:
    """A tokenizer that reads a text character by character."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    vocabulary = {token: at for at, token in enumerate([*special, *_TEXT])}
    reads = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    reads.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    made = PreTrainedTokenizerFast(
        tokenizer_object=reads,
        model_max_length=length,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
    )
    if chat:
        made.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    return made


VOCABULARY = 4 + len(_TEXT)


def clip(length: int = 24, projection: bool = False, size: int = 16) -> tuple[Any, Any]:
    """A CLIP text encoder and its tokenizer."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    characters = _TEXT[1:]
    tokens = [*characters, *(f"{each}</w>" for each in characters), "<|startoftext|>", "<|endoftext|>"]
    end = len(tokens) - 1
    config = CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=size,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=length,
        projection_dim=size,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )
    tokenizer = CLIPTokenizer(vocab={token: at for at, token in enumerate(tokens)}, merges=[], model_max_length=length)
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(config), tokenizer


def t5(length: int, size: int = 16) -> tuple[Any, Any]:
    from transformers import T5Config, T5EncoderModel

    config = T5Config(vocab_size=VOCABULARY, d_model=size, d_ff=16, d_kv=8, num_layers=1, num_heads=2)
    return T5EncoderModel(config), characters(length)


def vae(channels: int, blocks: tuple[int, ...] = (8, 16), **more: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=blocks,
        down_block_types=("DownEncoderBlock2D",) * len(blocks),
        up_block_types=("UpDecoderBlock2D",) * len(blocks),
        norm_num_groups=8,
        latent_channels=channels,
        sample_size=32,
        **more,
    )


def unet(**more: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(16, 32),
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        **more,
    )


def flow(**more: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(**more)


def qwen3(layers: int = 3) -> tuple[Any, Any]:
    from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3Model

    config = Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=1024,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=1,
    )
    return {"causal": Qwen3ForCausalLM, "plain": Qwen3Model}, config


def gemma2() -> Any:
    from transformers import Gemma2Config, Gemma2Model

    return Gemma2Model(
        Gemma2Config(
            vocab_size=VOCABULARY,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
        )
    )
