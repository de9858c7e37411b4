"""Text-to-image pipelines of every family with random weights and a few thousand numbers: real code, no downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_parts import VOCABULARY, characters, clip, flow, gemma2, qwen3, t5, unet, vae


def build(family: str, folder: Path) -> Path:
    """Writes the pipeline of a family to a folder of its name; returns it."""
    import torch

    torch.manual_seed(0)
    made = folder / family
    FAMILIES[family]().save_pretrained(made)
    return made


def _stable_diffusion_xl() -> Any:
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    (first, reads), (second, reads_too) = clip(), clip(projection=True)
    return StableDiffusionXLPipeline(
        vae=vae(4),
        text_encoder=first,
        tokenizer=reads,
        text_encoder_2=second,
        tokenizer_2=reads_too,
        unet=unet(
            cross_attention_dim=32,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=64,
            use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1),
        add_watermarker=False,
    )


def _stable_diffusion_3() -> Any:
    from diffusers import SD3Transformer2DModel, StableDiffusion3Pipeline

    (first, reads), (second, reads_too), (third, reads_most) = (
        clip(projection=True),
        clip(projection=True),
        t5(512, 32),
    )
    return StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=16,
            patch_size=1,
            in_channels=16,  # its inpainting pipeline takes no other number
            num_layers=2,  # a ControlNet does nothing to the last one
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=32,
            caption_projection_dim=32,
            pooled_projection_dim=32,
            out_channels=16,
        ),
        scheduler=flow(),
        vae=vae(16, shift_factor=0.06, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=first,
        tokenizer=reads,
        text_encoder_2=second,
        tokenizer_2=reads_too,
        text_encoder_3=third,
        tokenizer_3=reads_most,
    )


def _flux(guidance_embeds: bool) -> Any:
    from diffusers import FluxPipeline, FluxTransformer2DModel

    (first, reads), (second, reads_too) = clip(), t5(512)
    return FluxPipeline(
        scheduler=flow(use_dynamic_shifting=guidance_embeds),
        vae=vae(1, shift_factor=0.06, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=first,
        tokenizer=reads,
        text_encoder_2=second,
        tokenizer_2=reads_too,
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=guidance_embeds,
        ),
    )


def _flux_2_klein() -> Any:
    from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline, Flux2Transformer2DModel

    models, config = qwen3(28)  # it reads the hidden states of layers 9, 18 and 27
    return Flux2KleinPipeline(
        scheduler=flow(use_dynamic_shifting=True),
        vae=AutoencoderKLFlux2(
            block_out_channels=(8, 16),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            norm_num_groups=8,
            latent_channels=1,
            sample_size=32,
        ),
        text_encoder=models["causal"](config),
        tokenizer=characters(1024, chat=True),
        transformer=Flux2Transformer2DModel(
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=48,
            timestep_guidance_channels=16,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        ),
        is_distilled=True,
    )


def _qwen_image() -> Any:
    from diffusers import AutoencoderKLQwenImage, QwenImagePipeline, QwenImageTransformer2DModel
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_parameters": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default", "rope_theta": 1e6},
    }
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "out_hidden_size": 16,
    }
    return QwenImagePipeline(
        scheduler=flow(use_dynamic_shifting=True),
        vae=AutoencoderKLQwenImage(
            base_dim=24, z_dim=4, dim_mult=[1, 2], num_res_blocks=1, temperal_downsample=[False],
            latents_mean=[0.0] * 4, latents_std=[1.0] * 4,
        ),
        text_encoder=Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision)),
        tokenizer=characters(2048),
        transformer=QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            guidance_embeds=False,
            axes_dims_rope=(8, 4, 4),
        ),
    )  # fmt: skip


def _z_image() -> Any:
    from diffusers import ZImagePipeline, ZImageTransformer2DModel

    models, config = qwen3()
    return ZImagePipeline(
        scheduler=flow(),
        vae=vae(4, shift_factor=0.06, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=models["plain"](config),
        tokenizer=characters(1024, chat=True),
        transformer=ZImageTransformer2DModel(
            all_patch_size=(2,),
            all_f_patch_size=(1,),
            in_channels=4,
            dim=32,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            cap_feat_dim=16,
            axes_dims=[8, 4, 4],
            axes_lens=[1024, 32, 32],
        ),
    )


def _sana() -> Any:
    from diffusers import AutoencoderDC, DPMSolverMultistepScheduler, SanaPipeline, SanaTransformer2DModel

    return SanaPipeline(
        tokenizer=characters(1024),
        text_encoder=gemma2(),
        vae=AutoencoderDC(
            latent_channels=4,
            attention_head_dim=2,
            # small latents: Sana draws at 512 pixels and scales, whatever is asked for
            encoder_block_types=("ResBlock", "ResBlock", "ResBlock", "EfficientViTBlock"),
            decoder_block_types=("ResBlock", "ResBlock", "ResBlock", "EfficientViTBlock"),
            encoder_block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            encoder_qkv_multiscales=((), (), (), (5,)),
            decoder_qkv_multiscales=((), (), (), (5,)),
            encoder_layers_per_block=(1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1),
            downsample_block_type="conv",
            upsample_block_type="interpolate",
            decoder_norm_types="rms_norm",
            decoder_act_fns="silu",
            scaling_factor=0.4,
        ),
        transformer=SanaTransformer2DModel(
            patch_size=1,
            in_channels=4,
            out_channels=4,
            num_layers=2,  # a ControlNet does nothing to the first one
            num_attention_heads=2,
            attention_head_dim=4,
            num_cross_attention_heads=2,
            cross_attention_head_dim=4,
            cross_attention_dim=8,
            caption_channels=16,
            sample_size=16,
        ),
        scheduler=DPMSolverMultistepScheduler(
            algorithm_type="dpmsolver++", prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
    )


def _pixart_sigma() -> Any:
    from diffusers import DPMSolverMultistepScheduler, PixArtSigmaPipeline, PixArtTransformer2DModel

    encoder, reads = t5(512)
    return PixArtSigmaPipeline(
        tokenizer=reads,
        text_encoder=encoder,
        vae=vae(4),
        transformer=PixArtTransformer2DModel(
            sample_size=32,
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=2,
            caption_channels=16,
            in_channels=4,
            cross_attention_dim=16,
            out_channels=8,
            norm_type="ada_norm_single",
            use_additional_conditions=False,
        ),
        scheduler=DPMSolverMultistepScheduler(),
    )


def _lumina_2() -> Any:
    from diffusers import Lumina2Pipeline, Lumina2Transformer2DModel

    return Lumina2Pipeline(
        transformer=Lumina2Transformer2DModel(
            sample_size=8,
            patch_size=2,
            in_channels=4,
            hidden_size=16,
            num_layers=1,
            num_refiner_layers=1,
            num_attention_heads=2,
            num_kv_heads=1,
            multiple_of=8,
            scaling_factor=1.0,
            axes_dim_rope=(4, 2, 2),
            axes_lens=(512, 64, 64),
            cap_feat_dim=16,
        ),
        scheduler=flow(),
        # the pipeline takes eight pixels a cell for granted
        vae=vae(4, (8,) * 4, shift_factor=0.06, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=gemma2(),
        tokenizer=characters(1024),
    )


def _kandinsky_3() -> Any:
    from diffusers import DDPMScheduler, Kandinsky3Pipeline, Kandinsky3UNet, VQModel

    encoder, reads = t5(512)
    return Kandinsky3Pipeline(
        tokenizer=reads,
        text_encoder=encoder,
        unet=Kandinsky3UNet(
            in_channels=4,
            time_embedding_dim=4,
            groups=2,
            attention_head_dim=4,
            layers_per_block=3,
            block_out_channels=(8, 16),
            cross_attention_dim=4,
            encoder_hid_dim=16,
        ),
        scheduler=DDPMScheduler(beta_start=0.00085, beta_end=0.012),
        movq=VQModel(
            block_out_channels=[32] * 4,
            down_block_types=[*["DownEncoderBlock2D"] * 3, "AttnDownEncoderBlock2D"],
            up_block_types=["AttnUpDecoderBlock2D", *["UpDecoderBlock2D"] * 3],
            in_channels=3,
            latent_channels=4,
            layers_per_block=1,
            norm_num_groups=8,
            norm_type="spatial",
            num_vq_embeddings=12,
            out_channels=3,
            vq_embed_dim=4,
        ),
    )


FAMILIES: dict[str, Callable[[], Any]] = {
    "stable-diffusion-xl": _stable_diffusion_xl,
    "stable-diffusion-3": _stable_diffusion_3,
    "flux-1-dev": lambda: _flux(True),
    "flux-1-schnell": lambda: _flux(False),
    "flux-2-klein": _flux_2_klein,
    "qwen-image": _qwen_image,
    "z-image": _z_image,
    "sana": _sana,
    "pixart-sigma": _pixart_sigma,
    "lumina-2": _lumina_2,
    "kandinsky-3": _kandinsky_3,
}
